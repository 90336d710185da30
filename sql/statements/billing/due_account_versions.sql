-- Answers: how many accounts have a newer version in force at $now than the one in `accounts`.
-- Grain: one row.
-- Reads: account_versions, accounts.
SELECT count(*)
FROM account_versions AS v
INNER JOIN accounts AS a ON v.account_id = a.account_id
WHERE v.effective_from > a.effective_from AND v.effective_from <= CAST($now AS TIMESTAMP);
