-- How were requests answered, day by day?
-- Grain: one row per day × class of status.
-- Reads: usage_hourly_parts.
-- Parameter month (month): the month asked about, UTC
-- Chart: stack, day, requests, status_class
-- Read by: people (edgetoll query).
WITH days AS (
    SELECT
        CAST(hour AS DATE) AS day,
        CAST(sum(status_0xx) AS BIGINT) AS status_0xx,
        CAST(sum(status_1xx) AS BIGINT) AS status_1xx,
        CAST(sum(status_2xx) AS BIGINT) AS status_2xx,
        CAST(sum(status_3xx) AS BIGINT) AS status_3xx,
        CAST(sum(status_4xx) AS BIGINT) AS status_4xx,
        CAST(sum(status_5xx) AS BIGINT) AS status_5xx,
        CAST(sum(status_other) AS BIGINT) AS status_other
    FROM usage_hourly_parts
    WHERE hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY day
)

SELECT d.day, s.status_class, s.requests
FROM days AS d
CROSS JOIN LATERAL (VALUES
    ('0xx', d.status_0xx), ('1xx', d.status_1xx), ('2xx', d.status_2xx), ('3xx', d.status_3xx),
    ('4xx', d.status_4xx), ('5xx', d.status_5xx), ('other', d.status_other)
) AS s(status_class, requests)
WHERE s.requests <> 0
ORDER BY day, status_class

-- Sample:
-- edgetoll query status_by_day --param month=2026-11
-- | day | status_class | requests |
-- | --- | --- | ---: |
-- | 2026-11-03 | 2xx | 305798 |
-- | 2026-11-03 | 5xx | 26 |
