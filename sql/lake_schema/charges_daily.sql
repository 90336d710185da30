-- The shape of lake table charges_daily where billing has published none yet.
-- Grain: one row per row of sql/lake/charges_daily.sql; money in 10^-10 units.
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
    quantity DECIMAL(38, 0),
    free_quantity DECIMAL(38, 0),
    plan_quantity DECIMAL(38, 0),
    billable_quantity DECIMAL(38, 0),
    amount DECIMAL(38, 0),
    charges BIGINT,
    period_end TIMESTAMP
)
