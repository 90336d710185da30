-- What stands behind the usage views: imported, closed and still open hours together, not yet added up.
-- Grain: one row per 5-minute bucket × account × domain × region × class × file it comes from.
-- Owner: metering.
-- Reads: lake_usage_5min, usage_not_imported.
-- Read by: people (edgetoll sql), sql/views/usage_5min.sql, sql/views/bandwidth_5min.sql,
-- sql/queries/usage_over_time.sql.
CREATE VIEW usage_parts AS
SELECT
    bucket,
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
FROM lake_usage_5min
UNION ALL
SELECT
    bucket,
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
