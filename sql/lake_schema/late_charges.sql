-- The shape of lake table late_charges where billing has published none yet.
-- Grain: one row per row of sql/lake/late_charges.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_late_charges (
    charge_id VARCHAR,
    account_id VARCHAR,
    month VARCHAR,
    item VARCHAR,
    region VARCHAR,
    period_start TIMESTAMP,
    period_end TIMESTAMP,
    quantity BIGINT,
    amount DECIMAL(38, 10),
    rate_card VARCHAR,
    reason VARCHAR,
    journal_no BIGINT
)
