-- Bandwidth as it is billed: the mean of each 5 minutes, all domains of an account together.
-- Grain: one row per 5-minute bucket × account × region in which bytes were sent.
-- Owner: metering.
-- Reads: usage_parts.
-- Read by: people (edgetoll sql).
CREATE VIEW bandwidth_5min AS
SELECT
    bucket,
    account_id,
    region,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent,
    CAST(sum(bytes_sent) * 8 // 300 AS BIGINT) AS bits_per_second
FROM usage_parts
GROUP BY bucket, account_id, region
