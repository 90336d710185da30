-- The shape of lake table usage_daily where billing has published none yet.
-- Grain: one row per row of sql/lake/usage_daily.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_usage_daily (
    day DATE,
    account_id VARCHAR,
    domain VARCHAR,
    region VARCHAR,
    class VARCHAR,
    requests BIGINT,
    bytes_sent BIGINT
)
