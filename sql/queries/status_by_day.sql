-- How were requests answered, day by day?
-- Grain: one row per day × class of status.
-- Reads: usage_by_status.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, UTC
-- Chart: stack, day, requests, status_class
SELECT
    CAST(hour AS DATE) AS day,
    status_class,
    CAST(sum(requests) AS BIGINT) AS requests
FROM usage_by_status
WHERE strftime(hour, '%Y-%m') = $month
GROUP BY day, status_class
ORDER BY day, status_class
