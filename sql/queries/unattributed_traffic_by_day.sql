-- How much traffic belongs to nobody, day by day?
-- Grain: one row per day with such traffic.
-- Reads: usage_daily.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about
-- Chart: line, day, requests
SELECT
    day,
    CAST(sum(requests) FILTER (WHERE account_id IS NULL) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) FILTER (WHERE account_id IS NULL) AS BIGINT) AS bytes_sent,
    CAST(1000000 * sum(requests) FILTER (WHERE account_id IS NULL) // sum(requests) AS BIGINT) AS parts_per_million
FROM usage_daily
WHERE strftime(day, '%Y-%m') = $month
GROUP BY day
HAVING sum(requests) FILTER (WHERE account_id IS NULL) > 0
ORDER BY day
