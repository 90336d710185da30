-- The shape of lake table usage_open (files of usage_5min that no sum has yet) where billing has published none yet.
-- Grain: one row per row of sql/lake/usage_5min.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_usage_open (
    bucket TIMESTAMP,
    account_id VARCHAR,
    domain VARCHAR,
    region VARCHAR,
    class VARCHAR,
    requests BIGINT,
    bytes_sent BIGINT,
    hour TIMESTAMP,
    partition VARCHAR,
    revision INTEGER,
    import_no BIGINT,
    status_0xx BIGINT,
    status_1xx BIGINT,
    status_2xx BIGINT,
    status_3xx BIGINT,
    status_4xx BIGINT,
    status_5xx BIGINT,
    status_other BIGINT,
    cache_hits BIGINT
)
