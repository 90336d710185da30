-- Answers: name, currency and time zone of one account.
-- Grain: one row, none if there is no such account.
-- Reads: accounts.
SELECT
    name,
    currency,
    timezone
FROM accounts
WHERE account_id = $account_id;
