-- The shape of lake table plans where billing has published none yet.
-- Grain: one row per row of sql/lake/plans.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_plans (
    plan_id VARCHAR,
    account_id VARCHAR,
    kind VARCHAR,
    region VARCHAR,
    quantity BIGINT,
    used BIGINT,
    starts_at TIMESTAMP,
    ends_at TIMESTAMP,
    bought_at TIMESTAMP,
    price DECIMAL(38, 10),
    lasts VARCHAR,
    renews BOOLEAN
)
