-- Answers: which accounts a new version makes different in the past, for rating to look again.
-- Grain: one row per account.
-- Reads: effect_account_versions, account_versions.
INSERT INTO replay_marks BY NAME
SELECT
    e.account_id,
    min(e.effective_from) AS from_bucket,
    'account terms changed' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_account_versions AS e
INNER JOIN account_versions AS v ON e.account_id = v.account_id AND v.effective_from < e.effective_from
WHERE
    e.effective_from < CAST($now AS TIMESTAMP)
    AND (e.price_book <> v.price_book OR e.timezone <> v.timezone)
GROUP BY e.account_id;
