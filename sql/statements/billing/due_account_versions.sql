-- Answers: how many account versions in force at $now are newer than what `accounts` shows, or missing there.
-- Grain: one row.
-- Reads: account_versions, accounts.
SELECT count(*)
FROM account_versions AS v
LEFT JOIN accounts AS a ON v.account_id = a.account_id
WHERE
    a.account_id IS NULL
    OR (v.effective_from > a.effective_from AND v.effective_from <= CAST($now AS TIMESTAMP));
