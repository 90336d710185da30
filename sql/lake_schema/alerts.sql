-- The shape of lake_alerts where billing has not published yet.
-- Grain: one row per rule × subject × time that it was told of.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_alerts (
    rule_id VARCHAR,
    account_id VARCHAR,
    kind VARCHAR,
    subject VARCHAR,
    since TIMESTAMP,
    until TIMESTAMP,
    domain VARCHAR,
    basis VARCHAR,
    percent INTEGER,
    measured DECIMAL(38, 10),
    threshold DECIMAL(38, 10),
    event_id VARCHAR,
    journal_no BIGINT
)
