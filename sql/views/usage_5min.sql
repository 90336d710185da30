-- How much was used, and by whom: imported, closed and still open hours together, each row once.
-- Grain: one row per 5-minute bucket × account × domain × region × class.
-- Owner: metering.
-- Reads: usage_parts.
-- Read by: people (edgetoll sql).
CREATE VIEW usage_5min AS
SELECT
    bucket,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_parts
GROUP BY bucket, account_id, domain, region, class
