-- The accounts, their terms in force and what the ledger says they have.
-- Grain: one row per account.
-- Reads: accounts, balances.
-- Read by: sql/views/accounts.sql, sql/views/usage_daily_parts.sql.
SELECT
    a.account_id,
    a.name,
    a.currency,
    a.timezone,
    a.price_book,
    a.billing_method,
    CAST(CAST(a.credit_limit AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS credit_limit,
    a.grace_hours,
    a.suspension_policy,
    a.tax_rate_bp,
    a.country,
    CAST(CAST(a.low_balance_threshold AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS low_balance_threshold,
    a.opened_at,
    a.effective_from,
    CAST(CAST(coalesce(b.cash, 0) AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS cash,
    CAST(CAST(coalesce(b.vouchers, 0) AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS vouchers,
    CAST(CAST(coalesce(b.charged, 0) AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS charged
FROM accounts AS a
LEFT JOIN balances AS b ON a.account_id = b.account_id AND a.currency = b.currency
ORDER BY a.account_id;
