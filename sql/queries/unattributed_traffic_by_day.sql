-- How much traffic belongs to nobody, day by day?
-- Grain: one row per day with such traffic.
-- Reads: usage_daily.
-- Parameter month (month): the month asked about
-- Chart: line, day, requests
-- Read by: people (edgetoll query).
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

-- Sample:
-- edgetoll query unattributed_traffic_by_day --param month=2026-11
-- | day | requests | bytes_sent | parts_per_million |
-- | --- | ---: | ---: | ---: |
-- | 2026-11-03 | 46 | 24690 | 150 |
