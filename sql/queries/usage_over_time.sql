-- What was served, month by month down to 5 minutes?
-- Grain: one row per step (UTC) × class.
-- Reads: usage_hourly_parts, or usage_parts where 5 minutes are asked for.
-- Parameter from_day (day): the first day, UTC
-- Parameter to_day (day): the last day, UTC
-- Parameter step (text, day): month, day, hour or 5min
-- Parameter account (text, all): one account, or all of them
-- Parameter domain (text, all): one domain, or all of them
-- Parameter region (text, all): one region, or all of them
-- Chart: stack, starts, requests, class
-- Read by: people (edgetoll query).
WITH parts AS (
    SELECT hour AS bucket, account_id, domain, region, class, requests, bytes_sent
    FROM usage_hourly_parts
    WHERE $step <> '5min'
    UNION ALL
    SELECT bucket, account_id, domain, region, class, requests, bytes_sent
    FROM usage_parts
    WHERE $step = '5min'
)

SELECT
    CASE $step
        WHEN 'month' THEN date_trunc('month', bucket)
        WHEN 'day' THEN date_trunc('day', bucket)
        WHEN 'hour' THEN date_trunc('hour', bucket)
        WHEN '5min' THEN bucket
        ELSE error('step is month, day, hour or 5min')
    END AS starts,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM parts
WHERE
    bucket >= $from_day
    AND bucket < CAST($to_day AS DATE) + INTERVAL 1 DAY
    AND ($account = 'all' OR account_id = $account)
    AND $domain IN ('all', domain)
    AND $region IN ('all', region)
GROUP BY ALL
ORDER BY starts, class

-- Sample:
-- edgetoll query usage_over_time --param from_day=2026-11-01 --param to_day=2026-11-30 --param account=acme
-- | starts | class | requests | bytes_sent |
-- | --- | --- | ---: | ---: |
-- | 2026-11-03 00:00 | http | 1002 | 1999998 |
-- | 2026-11-03 00:00 | https | 248131 | 15032385551 |
-- | 2026-11-03 00:00 | quic | 606 | 200000000 |
