-- The shape of live_quarantine where there is no file yet.
-- Grain: one row per reason and edge or source.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE live_quarantine (
    reason VARCHAR,
    source VARCHAR,
    records BIGINT,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP
)
