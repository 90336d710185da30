-- Answers: which accounts' past a back-dated plan touches.
-- Grain: one row per account.
-- Reads: effect_plans.
INSERT INTO rating_changes BY NAME
SELECT account_id, date_trunc('hour', min(starts_at)) AS from_hour, 'plan back-dated' AS reason
FROM effect_plans
WHERE starts_at < CAST($now AS TIMESTAMP)
GROUP BY account_id;
