-- Answers: which accounts' past a back-dated change of method touches.
-- Grain: one row per account.
-- Reads: effect_methods.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(effective_from) AS from_bucket,
    'method changed' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_methods
WHERE effective_from < CAST($now AS TIMESTAMP)
GROUP BY account_id;
