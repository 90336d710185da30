-- Where are requests served, and how many bytes?
-- Grain: one row per region × class.
-- Reads: usage_monthly.
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, region, requests, class
-- Read by: people (edgetoll query).
SELECT
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_monthly
WHERE month = $month
GROUP BY region, class
ORDER BY requests DESC, region, class

-- Sample:
-- edgetoll query usage_by_region --param month=2026-11
-- | region | class | requests | bytes_sent |
-- | --- | --- | ---: | ---: |
-- | DE | https | 248177 | 15032410241 |
-- | FR | https | 56008 | 2147483648 |
-- | DE | http | 1036 | 717827880 |
-- | DE | quic | 606 | 200000000 |
