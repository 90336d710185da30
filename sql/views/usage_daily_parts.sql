-- The days of all usage, not yet added up: what is kept by the day, what is not added up yet, and what is not
-- imported yet. For sums over months.
-- Grain: one row per day × account × domain × region × class × file it comes from (not added up yet: per bucket).
-- Owner: metering.
-- Reads: lake_usage_daily, lake_usage_open, usage_not_imported, lake_accounts, lake_zone_offsets (the rules that rating has, not DuckDB's own).
-- A zone's day is looked up once per bucket, not once per row.
-- Read by: people (edgetoll sql), sql/views/usage_daily.sql, sql/queries/month_at_a_glance.sql,
-- sql/queries/what_needs_a_look.sql, sql/queries/usage_over_time.sql, sql/queries/usage_split.sql.
CREATE VIEW usage_daily_parts AS
WITH not_summed AS (
    SELECT bucket, account_id, domain, region, class, requests, bytes_sent
    FROM lake_usage_open
    UNION ALL
    SELECT bucket, account_id, domain, region, class, requests, bytes_sent
    FROM usage_not_imported
),

zones AS (
    SELECT DISTINCT timezone AS zone FROM lake_accounts
    UNION
    SELECT 'UTC' AS zone
),

buckets AS (
    SELECT DISTINCT bucket FROM not_summed
),

days AS (
    SELECT
        b.bucket,
        z.zone,
        CAST(
            b.bucket + to_seconds(
                CASE
                    WHEN o.zone IS NOT NULL THEN o.offset_seconds
                    WHEN z.zone = 'UTC' THEN 0
                    ELSE error('no rules for the time zone ' || z.zone || ' at ' || b.bucket)
                END
            ) AS DATE
        ) AS day
    FROM buckets AS b
    CROSS JOIN zones AS z
    LEFT JOIN lake_zone_offsets AS o
        ON z.zone = o.zone AND b.bucket >= o.from_utc AND b.bucket < o.until_utc
)

SELECT day, account_id, domain, region, class, requests, bytes_sent
FROM lake_usage_daily
UNION ALL
SELECT d.day, u.account_id, u.domain, u.region, u.class, u.requests, u.bytes_sent
FROM not_summed AS u
LEFT JOIN lake_accounts AS a ON u.account_id = a.account_id
INNER JOIN days AS d ON u.bucket = d.bucket AND d.zone = coalesce(a.timezone, 'UTC')
