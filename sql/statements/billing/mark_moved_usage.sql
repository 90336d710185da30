-- Answers: which accounts' past a moved domain touches, the one that lost it and the one that got it.
-- Grain: one row per account.
-- Reads: moved_usage.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(bucket) AS from_bucket,
    'domain moved' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM (
    SELECT old_account AS account_id, bucket FROM moved_usage
    UNION ALL
    SELECT new_account AS account_id, bucket FROM moved_usage
)
WHERE account_id IS NOT NULL
GROUP BY account_id;
