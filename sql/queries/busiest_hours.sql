-- At which hours of which days of the week are requests served?
-- Grain: one row per day of the week × hour of the day (UTC).
-- Reads: usage_hourly_parts.
-- Parameter month (month): the month asked about, UTC
-- Chart: heat, hour_of_day, requests, weekday
-- Read by: people (edgetoll query).
WITH hours_of_month AS (
    SELECT hour, sum(requests) AS requests
    FROM usage_hourly_parts
    WHERE hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY hour
)

SELECT
    strftime(hour, '%H') AS hour_of_day,
    isodow(hour) || ' ' || dayname(hour) AS weekday,
    CAST(sum(requests) AS BIGINT) AS requests
FROM hours_of_month
GROUP BY hour_of_day, weekday
ORDER BY weekday, hour_of_day

-- Sample:
-- edgetoll query busiest_hours --param month=2026-11
-- | hour_of_day | weekday | requests |
-- | --- | --- | ---: |
-- | 08 | 2 Tuesday | 152912 |
-- | 09 | 2 Tuesday | 152912 |
-- | 10 | 2 Tuesday | 3 |
