-- Answers: the credit limit in force of the known accounts in a load, and since when.
-- Grain: one row per account.
-- Reads: accounts, load_accounts.
SELECT
    a.account_id,
    a.effective_from,
    a.credit_limit
FROM accounts AS a
SEMI JOIN load_accounts AS l ON a.account_id = l.account_id
ORDER BY a.account_id;
