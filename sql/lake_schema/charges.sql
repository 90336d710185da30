-- The shape of lake table charges where billing has published none yet.
-- Grain: one row per row of sql/lake/charges.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_charges (
    charge_id VARCHAR,
    account_id VARCHAR,
    item VARCHAR,
    region VARCHAR,
    month VARCHAR,
    period_start TIMESTAMP,
    period_end TIMESTAMP,
    quantity BIGINT,
    free_quantity BIGINT,
    plan_quantity BIGINT,
    billable_quantity BIGINT,
    amount DECIMAL(38, 10),
    currency VARCHAR,
    rate_card VARCHAR,
    revision INTEGER,
    reason VARCHAR,
    run_id VARCHAR,
    journal_no BIGINT
)
