-- Answers: which rows of a load name an account that is neither stored nor in the load.
-- Grain: one row per such row, the first ten.
-- Reads: load_references, account_versions, load_accounts.
SELECT r.place, r.account_id
FROM load_references AS r
WHERE
    r.account_id NOT IN (SELECT account_id FROM account_versions)
    AND r.account_id NOT IN (SELECT account_id FROM load_accounts)
ORDER BY r.place
LIMIT 10;
