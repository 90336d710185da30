-- Who the customers are, on what terms, and what they have: available is what may still be charged.
-- Grain: one row per account.
-- Reads: lake_accounts.
-- Read by: people (edgetoll sql), sql/macros/price_of.sql, sql/views/focus.sql.
CREATE VIEW accounts AS
SELECT
    account_id,
    name,
    currency,
    cash,
    vouchers,
    charged,
    credit_limit,
    CAST(cash + vouchers - charged + credit_limit AS DECIMAL(38, 10)) AS available,
    timezone,
    price_book,
    billing_method,
    grace_hours,
    suspension_policy,
    tax_rate_bp,
    country,
    low_balance_threshold,
    opened_at
FROM lake_accounts
