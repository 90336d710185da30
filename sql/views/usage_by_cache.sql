-- What the caches of the edges served: hits among all requests. Bytes of hits alone are not kept.
-- Grain: one row per hour × account × domain × region × class.
-- Owner: metering.
-- Reads: usage_hourly_parts. cache_hits is null where no file of the hour says.
-- Read by: people (edgetoll sql).
CREATE VIEW usage_by_cache AS
SELECT
    hour,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(cache_hits) AS BIGINT) AS cache_hits,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_hourly_parts
GROUP BY ALL
