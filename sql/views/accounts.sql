-- Who the customers are, on what terms, and what they have: available is what may still be charged.
-- Grain: one row per account.
-- Owner: billing/accounts.
-- Reads: lake_accounts, lake_tags.
-- Read by: people (edgetoll sql), sql/macros/price_of.sql, sql/views/focus.sql.
CREATE VIEW accounts AS
SELECT
    a.account_id,
    a.name,
    a.currency,
    a.cash,
    a.vouchers,
    a.charged,
    a.credit_limit,
    CAST(a.cash + a.vouchers - a.charged + a.credit_limit AS DECIMAL(38, 10)) AS available,
    a.timezone,
    a.price_book,
    a.billing_method,
    a.grace_hours,
    a.suspension_policy,
    a.tax_rate_bp,
    a.country,
    a.low_balance_threshold,
    -- Homes of before openings were kept have 2000-01-01 for accounts that had none: it is not known.
    CASE WHEN a.opened_at > TIMESTAMP '2000-01-01' THEN a.opened_at END AS opened_at,
    coalesce(t.tags, CAST(MAP {} AS MAP(VARCHAR, VARCHAR))) AS tags
FROM lake_accounts AS a
LEFT JOIN lake_tags AS t ON t.kind = 'account' AND t.subject = a.account_id
