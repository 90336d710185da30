-- The shape of lake table charges_open (files of charges that no day has yet) where billing has published none yet.
-- Grain: one row per charge; money in 10^-10 units.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_charges_open (
    account_id VARCHAR,
    item VARCHAR,
    region VARCHAR,
    month VARCHAR,
    period_start TIMESTAMP,
    period_end TIMESTAMP,
    quantity DECIMAL(38, 0),
    free_quantity DECIMAL(38, 0),
    plan_quantity DECIMAL(38, 0),
    billable_quantity DECIMAL(38, 0),
    amount DECIMAL(38, 0),
    currency VARCHAR,
    rate_card VARCHAR,
    revision INTEGER,
    reason VARCHAR,
    run_id VARCHAR,
    journal_no BIGINT
)
