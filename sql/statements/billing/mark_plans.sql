-- Answers: which accounts' past a back-dated plan touches; a plan covers the whole hour it begins in.
-- Grain: one row per account.
-- Reads: effect_plans.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(date_trunc('hour', starts_at)) AS from_bucket,
    'plan back-dated' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_plans
WHERE starts_at < CAST($now AS TIMESTAMP)
GROUP BY account_id;
