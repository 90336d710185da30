-- How many requests a second are served, by class?
-- Grain: one row per 5 minutes × class, of the three hours up to the last that has any; per second cut to hundredths.
-- Reads: usage_parts, hours.
-- Parameter account (text, all): one account, or all of them
-- Chart: line, bucket, per_second, class
-- Read by: people (edgetoll query).
WITH newest AS (
    SELECT max(hour) AS hour FROM hours WHERE accepted > 0
    UNION ALL
    -- Who sees one account sees no hours of all.
    SELECT max(bucket) FROM usage_parts WHERE (SELECT count(*) FROM hours) = 0
),

-- Times that are equal, not a range: so files that have none of them are passed over.
lately AS (
    SELECT unnest(range(max(hour) - INTERVAL 2 HOUR, max(hour) + INTERVAL 1 HOUR, INTERVAL 5 MINUTE)) AS bucket
    FROM newest
)

SELECT
    u.bucket,
    u.class,
    CAST(sum(u.requests) AS BIGINT) AS requests,
    CAST(0.01::DECIMAL(3, 2) * CAST(sum(u.requests) // 3 AS BIGINT) AS DECIMAL(38, 2)) AS per_second
FROM usage_parts AS u
INNER JOIN lately AS l ON u.bucket = l.bucket
WHERE $account = 'all' OR u.account_id = $account
GROUP BY ALL
ORDER BY u.bucket, u.class

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
