-- How much was used per hour (UTC).
-- Grain: one row per hour × account × domain × region × class.
-- Owner: metering.
-- Reads: usage_hourly_parts.
-- Read by: people (edgetoll sql).
CREATE VIEW usage_hourly AS
SELECT
    hour,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_hourly_parts
GROUP BY ALL
