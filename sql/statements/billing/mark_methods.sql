-- Answers: which accounts' past a back-dated change of method touches.
-- Grain: one row per account.
-- Reads: effect_methods.
INSERT INTO rating_changes BY NAME
SELECT account_id, date_trunc('hour', min(effective_from)) AS from_hour, 'method changed' AS reason
FROM effect_methods
WHERE effective_from < CAST($now AS TIMESTAMP)
GROUP BY account_id;
