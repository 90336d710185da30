-- Where are requests served, and how many bytes?
-- Grain: one row per region × class.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, region, requests, class
SELECT
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_monthly
WHERE month = $month
GROUP BY region, class
ORDER BY requests DESC, region, class
