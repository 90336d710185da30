-- Answers: nothing; stores what plans paid.
-- Grain: plan × month × hour.
-- Reads: effect_plan_use, journal_state (the record being applied is the next one).
INSERT INTO plan_use
SELECT e.plan_id, e.account_id, e.month, e.hour, e.quantity::HUGEINT, j.last_no + 1
FROM effect_plan_use AS e CROSS JOIN journal_state AS j;
