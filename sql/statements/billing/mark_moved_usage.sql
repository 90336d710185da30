-- Answers: which accounts' past a moved domain touches, the one that lost it and the one that got it.
-- Grain: one row per account.
-- Reads: moved_usage.
INSERT INTO rating_changes BY NAME
SELECT account_id, min(hour) AS from_hour, 'domain moved' AS reason
FROM (
    SELECT old_account AS account_id, hour FROM moved_usage
    UNION ALL
    SELECT new_account AS account_id, hour FROM moved_usage
)
WHERE account_id IS NOT NULL
GROUP BY account_id;
