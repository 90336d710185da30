-- What was served, month by month down to 5 minutes?
-- Grain: one row per step × class. Months and days are those of each account's time zone, hours and 5 minutes those
-- of UTC from the first to the last day of the account asked about (of all accounts: of UTC).
-- Reads: usage_daily_parts, usage_hourly_parts, usage_parts, accounts, the macro utc_of_local.
-- Parameter from_day (day): the first day
-- Parameter to_day (day): the last day
-- Parameter step (text, day): month, day, hour or 5min
-- Parameter account (text, all): one account, (nobody), or all of them
-- Parameter domain (text, all): one domain, or all of them
-- Parameter region (text, all): one region, or all of them
-- Parameter class (text, all): https, quic or http, or all of them
-- Chart: stack, starts, requests, class
-- Read by: people (edgetoll query).
WITH zones AS (
    SELECT
        CASE WHEN $step IN ('month', 'day', 'hour', '5min') THEN coalesce(max(timezone), 'UTC')
            ELSE error('step is month, day, hour or 5min') END AS zone
    FROM accounts
    WHERE account_id = $account
),

span AS (
    SELECT
        zone,
        coalesce(utc_of_local(zone, CAST($from_day AS TIMESTAMP)), CAST($from_day AS TIMESTAMP)) AS from_utc,
        coalesce(
            utc_of_local(zone, CAST($to_day AS TIMESTAMP) + INTERVAL 1 DAY),
            CAST($to_day AS TIMESTAMP) + INTERVAL 1 DAY
        ) AS until_utc
    FROM zones
),

-- Sums by the day hold no hours; sums by the hour hold none of a zone whose days begin at half past.
times AS (
    SELECT hour AS bucket, account_id, domain, region, class, requests, bytes_sent
    FROM usage_hourly_parts
    WHERE $step = 'hour' AND $account IN ('all', '(nobody)')
    UNION ALL
    SELECT bucket, account_id, domain, region, class, requests, bytes_sent
    FROM usage_parts
    WHERE $step = '5min' OR ($step = 'hour' AND account_id = $account)
),

parts AS (
    SELECT
        CAST(CASE $step WHEN 'month' THEN date_trunc('month', day) ELSE day END AS TIMESTAMP) AS step_at,
        account_id,
        domain,
        region,
        class,
        requests,
        bytes_sent
    FROM usage_daily_parts
    WHERE $step IN ('month', 'day') AND day >= $from_day AND day <= $to_day
    UNION ALL
    SELECT
        CASE $step WHEN 'hour' THEN date_trunc('hour', bucket) ELSE bucket END AS step_at,
        account_id,
        domain,
        region,
        class,
        requests,
        bytes_sent
    FROM times
    -- The first two are there to pass over files.
    WHERE
        bucket >= CAST($from_day AS DATE) - INTERVAL 1 DAY
        AND bucket < CAST($to_day AS DATE) + INTERVAL 2 DAY
        AND bucket >= (SELECT from_utc FROM span)
        AND bucket < (SELECT until_utc FROM span)
),

summed AS (
    SELECT
        step_at,
        class,
        CAST(sum(requests) AS BIGINT) AS requests,
        CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
    FROM parts
    WHERE
        ($account = 'all' OR account_id = $account OR ($account = '(nobody)' AND account_id IS NULL))
        AND $domain IN ('all', coalesce(nullif(domain, ''), '(many small names)'))
        AND $region IN ('all', region)
        AND $class IN ('all', class)
    GROUP BY ALL
)

SELECT
    CASE
        WHEN $step IN ('month', 'day') THEN coalesce(utc_of_local(p.zone, s.step_at), s.step_at)
        ELSE s.step_at
    END AS starts,
    s.class,
    s.requests,
    s.bytes_sent,
    CASE WHEN $step IN ('month', 'day') THEN CAST(s.step_at AS DATE) END AS first_day,
    CASE $step
        WHEN 'month' THEN least(last_day(s.step_at), CAST($to_day AS DATE))
        WHEN 'day' THEN CAST(s.step_at AS DATE)
    END AS last_day
FROM summed AS s
CROSS JOIN span AS p
ORDER BY s.step_at, s.class

-- Sample:
-- edgetoll query usage_over_time --param from_day=2026-11-01 --param to_day=2026-11-30 --param account=acme
-- | starts | class | requests | bytes_sent | first_day | last_day |
-- | --- | --- | ---: | ---: | --- | --- |
-- | 2026-11-03 00:00 | http | 1002 | 1999998 | 2026-11-03 | 2026-11-03 |
-- | 2026-11-03 00:00 | https | 248131 | 15032385551 | 2026-11-03 | 2026-11-03 |
-- | 2026-11-03 00:00 | quic | 606 | 200000000 | 2026-11-03 | 2026-11-03 |
