-- What each account sent in every 5 minutes, all domains and regions together: an hour a row, for peaks and percentiles.
-- Grain: one row per hour × account that sent bytes. from_05: bytes of the 5 minutes from minute 5 on; most: of the largest of them.
-- Owner: metering.
-- Reads: lake_bandwidth_hourly, lake_usage_open, usage_not_imported. Hours of which there is more than one part are added up, no others:
-- they are few.
-- Read by: people (edgetoll sql), sql/macros/percentiles_between.sql, sql/queries/bandwidth_peaks.sql.
CREATE VIEW bandwidth_hourly AS
WITH not_summed AS (
    SELECT bucket, account_id, bytes_sent
    FROM lake_usage_open
    UNION ALL
    SELECT bucket, account_id, bytes_sent
    FROM usage_not_imported
),

in_parts AS (
    SELECT hour FROM lake_bandwidth_hourly WHERE is_more
    UNION
    SELECT date_trunc('hour', bucket) AS hour FROM not_summed
),

parts AS (
    SELECT
        hour,
        account_id,
        from_00,
        from_05,
        from_10,
        from_15,
        from_20,
        from_25,
        from_30,
        from_35,
        from_40,
        from_45,
        from_50,
        from_55
    FROM lake_bandwidth_hourly
    SEMI JOIN in_parts USING (hour)
    UNION ALL
    SELECT
        date_trunc('hour', bucket) AS hour,
        account_id,
        CASE WHEN minute(bucket) = 0 THEN bytes_sent ELSE 0 END AS from_00,
        CASE WHEN minute(bucket) = 5 THEN bytes_sent ELSE 0 END AS from_05,
        CASE WHEN minute(bucket) = 10 THEN bytes_sent ELSE 0 END AS from_10,
        CASE WHEN minute(bucket) = 15 THEN bytes_sent ELSE 0 END AS from_15,
        CASE WHEN minute(bucket) = 20 THEN bytes_sent ELSE 0 END AS from_20,
        CASE WHEN minute(bucket) = 25 THEN bytes_sent ELSE 0 END AS from_25,
        CASE WHEN minute(bucket) = 30 THEN bytes_sent ELSE 0 END AS from_30,
        CASE WHEN minute(bucket) = 35 THEN bytes_sent ELSE 0 END AS from_35,
        CASE WHEN minute(bucket) = 40 THEN bytes_sent ELSE 0 END AS from_40,
        CASE WHEN minute(bucket) = 45 THEN bytes_sent ELSE 0 END AS from_45,
        CASE WHEN minute(bucket) = 50 THEN bytes_sent ELSE 0 END AS from_50,
        CASE WHEN minute(bucket) = 55 THEN bytes_sent ELSE 0 END AS from_55
    FROM not_summed
    WHERE bytes_sent > 0
),

added_up AS (
    SELECT
        hour,
        account_id,
        CAST(sum(from_00) AS BIGINT) AS from_00,
        CAST(sum(from_05) AS BIGINT) AS from_05,
        CAST(sum(from_10) AS BIGINT) AS from_10,
        CAST(sum(from_15) AS BIGINT) AS from_15,
        CAST(sum(from_20) AS BIGINT) AS from_20,
        CAST(sum(from_25) AS BIGINT) AS from_25,
        CAST(sum(from_30) AS BIGINT) AS from_30,
        CAST(sum(from_35) AS BIGINT) AS from_35,
        CAST(sum(from_40) AS BIGINT) AS from_40,
        CAST(sum(from_45) AS BIGINT) AS from_45,
        CAST(sum(from_50) AS BIGINT) AS from_50,
        CAST(sum(from_55) AS BIGINT) AS from_55
    FROM parts
    GROUP BY hour, account_id
)

SELECT
    hour,
    account_id,
    from_00,
    from_05,
    from_10,
    from_15,
    from_20,
    from_25,
    from_30,
    from_35,
    from_40,
    from_45,
    from_50,
    from_55,
    most
FROM lake_bandwidth_hourly
ANTI JOIN in_parts USING (hour)
UNION ALL
SELECT
    hour,
    account_id,
    from_00,
    from_05,
    from_10,
    from_15,
    from_20,
    from_25,
    from_30,
    from_35,
    from_40,
    from_45,
    from_50,
    from_55,
    greatest(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    ) AS most
FROM added_up
