-- Imported usage of one day, with the account that owns the domain.
-- Grain: one row per bucket × domain × region × class × imported file of the imports in the session's lake_range.
-- Reads: usage.
-- Read by: sql/views/usage_parts.sql.
SELECT
    bucket,
    account_id,
    domain,
    region,
    class,
    requests,
    bytes_sent,
    hour,
    partition,
    revision,
    import_no,
    status_0xx,
    status_1xx,
    status_2xx,
    status_3xx,
    status_4xx,
    status_5xx,
    status_other,
    cache_hits
FROM usage
WHERE
    hour >= CAST(getvariable('lake_range').day AS DATE)
    AND hour < CAST(getvariable('lake_range').day AS DATE) + INTERVAL 1 DAY
    AND import_no > getvariable('lake_range').after
    AND import_no <= getvariable('lake_range').through;
