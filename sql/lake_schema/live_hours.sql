-- The shape of live_hours where there is no file yet.
-- Grain: one row per partition and hour that metering knows.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE live_hours (
    hour TIMESTAMP,
    partition VARCHAR,
    state VARCHAR,
    accepted BIGINT,
    late BIGINT,
    missing_edges VARCHAR[]
)
