-- Answers: which time zones and currencies accounts have.
-- Grain: one row per time zone and currency.
-- Reads: accounts.
SELECT DISTINCT
    timezone,
    currency
FROM accounts
WHERE $account IS NULL OR account_id = $account
ORDER BY timezone, currency;
