-- Answers: the currency and balance of one account.
-- Grain: at most one row.
-- Reads: accounts, balances.
SELECT
    a.currency,
    coalesce(b.cash, 0) AS cash,
    coalesce(b.vouchers, 0) AS vouchers,
    coalesce(b.charged, 0) AS charged,
    a.credit_limit
FROM accounts AS a
LEFT JOIN balances AS b ON a.account_id = b.account_id AND a.currency = b.currency
WHERE a.account_id = $account_id;
