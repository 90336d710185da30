-- The shape of live_refused where metering reads no spool in place.
-- Grain: one row per edge × reason.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE live_refused (
    edge_id VARCHAR,
    reason VARCHAR,
    lines BIGINT
)
