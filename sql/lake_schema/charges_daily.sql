-- The shape of lake table charges_daily where billing has published none yet.
-- Grain: one row per row of sql/lake/charges_daily.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_charges_daily (
    day DATE,
    account_id VARCHAR,
    item VARCHAR,
    region VARCHAR,
    month VARCHAR,
    rate_card VARCHAR,
    currency VARCHAR,
    is_correction BOOLEAN,
    quantity BIGINT,
    free_quantity BIGINT,
    plan_quantity BIGINT,
    billable_quantity BIGINT,
    amount DECIMAL(38, 10),
    charges BIGINT,
    period_end TIMESTAMP
)
