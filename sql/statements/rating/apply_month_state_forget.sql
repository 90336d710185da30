-- Answers: nothing; removes the month-to-date of replayed accounts, which comes anew.
-- Grain: account × month.
-- Reads: effect_replayed.
DELETE FROM month_state AS s
USING effect_replayed AS r
WHERE s.account_id = r.account_id AND s.month >= r.from_month;
