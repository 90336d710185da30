-- The shape of lake table accounts where billing has published none yet.
-- Grain: one row per row of sql/lake/accounts.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_accounts (
    account_id VARCHAR,
    name VARCHAR,
    currency VARCHAR,
    timezone VARCHAR,
    price_book VARCHAR,
    billing_method VARCHAR,
    credit_limit DECIMAL(38, 10),
    grace_hours INTEGER,
    suspension_policy VARCHAR,
    tax_rate_bp DECIMAL(9, 2),
    country VARCHAR,
    low_balance_threshold DECIMAL(38, 10),
    opened_at TIMESTAMP,
    effective_from TIMESTAMP,
    cash DECIMAL(38, 10),
    vouchers DECIMAL(38, 10),
    charged DECIMAL(38, 10)
)
