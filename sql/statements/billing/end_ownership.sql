-- Answers: ends the ownership periods that one journal record ends.
-- Grain: one row per period.
-- Reads: effect_ended.
UPDATE domain_ownership SET effective_to = e.effective_to
FROM effect_ended AS e
WHERE domain_ownership.ownership_id = e.ownership_id;
