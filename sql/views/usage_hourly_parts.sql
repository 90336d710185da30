-- The hours of all usage, not yet added up: what is kept by the hour, what is not added up yet, and what is not
-- imported yet. For sums over months.
-- Grain: one row per hour × account × domain × region × class × file it comes from (not added up yet: per bucket).
-- Owner: metering.
-- Reads: lake_usage_hourly, lake_usage_open, usage_not_imported.
-- Read by: people (edgetoll sql), sql/views/usage_hourly.sql, sql/views/usage_by_status.sql, sql/views/usage_by_cache.sql,
-- sql/queries/busiest_hours.sql, sql/queries/status_by_day.sql, sql/queries/error_share_by_domain.sql,
-- sql/queries/cache_hits_against_bytes_billed.sql,
-- sql/queries/usage_over_time.sql.
CREATE VIEW usage_hourly_parts AS
SELECT
    hour,
    account_id,
    domain,
    region,
    class,
    requests,
    bytes_sent,
    status_0xx,
    status_1xx,
    status_2xx,
    status_3xx,
    status_4xx,
    status_5xx,
    status_other,
    cache_hits
FROM lake_usage_hourly
UNION ALL
SELECT
    date_trunc('hour', bucket) AS hour,
    account_id,
    domain,
    region,
    class,
    requests,
    bytes_sent,
    status_0xx,
    status_1xx,
    status_2xx,
    status_3xx,
    status_4xx,
    status_5xx,
    status_other,
    cache_hits
FROM usage_not_imported
UNION ALL
SELECT
    date_trunc('hour', bucket) AS hour,
    account_id,
    domain,
    region,
    class,
    requests,
    bytes_sent,
    status_0xx,
    status_1xx,
    status_2xx,
    status_3xx,
    status_4xx,
    status_5xx,
    status_other,
    cache_hits
FROM lake_usage_open
