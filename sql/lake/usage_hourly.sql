-- Imported usage of one day added up by the hour: what questions over a month read.
-- Grain: one row per hour (UTC) × account × domain × region × class × file; sorted by account and domain.
-- Reads: usage.
-- Read by: sql/views/usage_hourly_parts.sql.
SELECT
    date_trunc('hour', bucket) AS hour,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent,
    CAST(sum(status_0xx) AS BIGINT) AS status_0xx,
    CAST(sum(status_1xx) AS BIGINT) AS status_1xx,
    CAST(sum(status_2xx) AS BIGINT) AS status_2xx,
    CAST(sum(status_3xx) AS BIGINT) AS status_3xx,
    CAST(sum(status_4xx) AS BIGINT) AS status_4xx,
    CAST(sum(status_5xx) AS BIGINT) AS status_5xx,
    CAST(sum(status_other) AS BIGINT) AS status_other,
    CAST(sum(cache_hits) AS BIGINT) AS cache_hits
FROM usage
WHERE
    hour >= CAST(getvariable('lake_range').day AS DATE)
    AND hour < CAST(getvariable('lake_range').day AS DATE) + INTERVAL 1 DAY
    AND import_no > getvariable('lake_range').after
    AND import_no <= getvariable('lake_range').through
GROUP BY ALL
ORDER BY account_id, domain, hour, region, class;
