-- The shape of lake table charges_daily where billing has published none yet.
-- Grain: one row per row of sql/lake/charges_daily.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_charges_daily (
    account_id VARCHAR,
    month VARCHAR,
    day DATE,
    item VARCHAR,
    region VARCHAR,
    currency VARCHAR,
    quantity BIGINT,
    free_quantity BIGINT,
    plan_quantity BIGINT,
    billable_quantity BIGINT,
    amount DECIMAL(38, 10),
    charges BIGINT,
    corrections BIGINT,
    rate_card VARCHAR,
    corrected DECIMAL(38, 10),
    period_end TIMESTAMP
)
