-- The shape of lake table bandwidth_hourly where billing has published none yet.
-- Grain: one row per row of sql/lake/bandwidth_hourly.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_bandwidth_hourly (
    hour TIMESTAMP,
    account_id VARCHAR,
    from_00 BIGINT,
    from_05 BIGINT,
    from_10 BIGINT,
    from_15 BIGINT,
    from_20 BIGINT,
    from_25 BIGINT,
    from_30 BIGINT,
    from_35 BIGINT,
    from_40 BIGINT,
    from_45 BIGINT,
    from_50 BIGINT,
    from_55 BIGINT,
    is_more BOOLEAN,
    most BIGINT,
    fewest BIGINT
)
