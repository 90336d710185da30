-- How were requests answered, day by day?
-- Grain: one row per day × class of status.
-- Reads: usage_by_status.
-- Parameter month (month): the month asked about, UTC
-- Chart: stack, day, requests, status_class
-- Read by: people (edgetoll query).
SELECT
    CAST(hour AS DATE) AS day,
    status_class,
    CAST(sum(requests) AS BIGINT) AS requests
FROM usage_by_status
WHERE strftime(hour, '%Y-%m') = $month
GROUP BY day, status_class
ORDER BY day, status_class

-- Sample:
-- edgetoll query status_by_day --param month=2026-11
-- | day | status_class | requests |
-- | --- | --- | ---: |
-- | 2026-11-03 | 2xx | 305798 |
-- | 2026-11-03 | 5xx | 26 |
