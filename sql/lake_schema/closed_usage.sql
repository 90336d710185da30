-- The shape of closed_usage where there is no file yet.
-- Grain: one row per bucket × domain × region × class (metering's closed and live files).
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE closed_usage (
    bucket TIMESTAMP,
    domain VARCHAR,
    region VARCHAR,
    class VARCHAR,
    requests BIGINT,
    bytes_sent BIGINT,
    status_0xx BIGINT,
    status_1xx BIGINT,
    status_2xx BIGINT,
    status_3xx BIGINT,
    status_4xx BIGINT,
    status_5xx BIGINT,
    status_other BIGINT,
    cache_hits BIGINT
)
