-- At which hours of which days of the week are requests served?
-- Grain: one row per day of the week × hour of the day (UTC).
-- Reads: usage_hourly.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, UTC
-- Chart: heat, hour_of_day, requests, weekday
SELECT
    strftime(hour, '%H') AS hour_of_day,
    isodow(hour) || ' ' || dayname(hour) AS weekday,
    CAST(sum(requests) AS BIGINT) AS requests
FROM usage_hourly
WHERE strftime(hour, '%Y-%m') = $month
GROUP BY hour_of_day, weekday
ORDER BY weekday, hour_of_day
