-- The shape of lake_deliveries where billing has not published yet.
-- Grain: one row per event × endpoint.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_deliveries (
    event_id VARCHAR,
    account_id VARCHAR,
    kind VARCHAR,
    happened_at TIMESTAMP,
    endpoint VARCHAR,
    status VARCHAR,
    attempts INTEGER,
    first_at TIMESTAMP,
    next_at TIMESTAMP,
    answer VARCHAR,
    version BIGINT,
    invoice_no VARCHAR
)
