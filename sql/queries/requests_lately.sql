-- How many requests a second are served, by class?
-- Grain: one row per 5 minutes × class, of the last three hours that have any; per second cut to hundredths.
-- Reads: usage_parts.
-- Parameter account (text, all): one account, or all of them
-- Chart: line, bucket, per_second, class
-- Read by: people (edgetoll query).
SELECT
    bucket,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(0.01::DECIMAL(3, 2) * CAST(sum(requests) // 3 AS BIGINT) AS DECIMAL(38, 2)) AS per_second
FROM usage_parts
WHERE
    bucket > (SELECT max(bucket) FROM usage_parts) - INTERVAL 3 HOUR
    AND ($account = 'all' OR account_id = $account)
GROUP BY ALL
ORDER BY bucket, class

-- Sample:
-- edgetoll query requests_lately --param account=acme
-- | bucket | class | requests | per_second |
-- | --- | --- | ---: | ---: |
-- | 2026-11-03 08:00 | http | 501 | 1.67 |
-- | 2026-11-03 08:00 | https | 120028 | 400.09 |
-- | 2026-11-03 08:00 | quic | 303 | 1.01 |
-- | 2026-11-03 08:20 | https | 4036 | 13.45 |
-- | 2026-11-03 09:00 | http | 501 | 1.67 |
-- … 4 more
