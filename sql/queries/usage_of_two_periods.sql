-- How does the usage of one period compare with another's, day beside day?
-- Grain: one row per day of a period (in each account's time zone), counted from 1, × period.
-- Reads: usage_daily_parts.
-- Parameter from_day (day): the first day
-- Parameter to_day (day): the last day
-- Parameter other_from_day (day): the first day of the period to lay beside it
-- Parameter other_to_day (day): the last day of that
-- Parameter account (text, all): one account, (nobody), or all of them
-- Parameter domain (text, all): one domain, or all of them
-- Parameter region (text, all): one region, or all of them
-- Parameter class (text, all): https, quic or http, or all of them
-- Chart: line, day_number, requests, period
-- Read by: people (edgetoll query).
WITH periods AS (
    SELECT CAST($from_day AS DATE) AS first_day, CAST($to_day AS DATE) AS last_day
    UNION
    SELECT CAST($other_from_day AS DATE), CAST($other_to_day AS DATE)
),

days AS (
    SELECT day, CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
    FROM usage_daily_parts
    WHERE
        day >= least(CAST($from_day AS DATE), CAST($other_from_day AS DATE))
        AND day <= greatest(CAST($to_day AS DATE), CAST($other_to_day AS DATE))
        AND ($account = 'all' OR account_id = $account OR ($account = '(nobody)' AND account_id IS NULL))
        AND $domain IN ('all', coalesce(nullif(domain, ''), '(many small names)'))
        AND $region IN ('all', region)
        AND $class IN ('all', class)
    GROUP BY day
)

SELECT
    CAST(date_diff('day', p.first_day, d.day) + 1 AS BIGINT) AS day_number,
    p.first_day || ' to ' || p.last_day AS period,
    d.day,
    d.requests,
    d.bytes_sent
FROM periods AS p
INNER JOIN days AS d ON d.day >= p.first_day AND d.day <= p.last_day
ORDER BY day_number, p.first_day DESC

-- Sample:
-- edgetoll query usage_of_two_periods --param from_day=2026-11-01 --param to_day=2026-11-30 --param other_from_day=2026-10-01 --param other_to_day=2026-10-31 --param account=acme
-- | day_number | period | day | requests | bytes_sent |
-- | ---: | --- | --- | ---: | ---: |
-- | 3 | 2026-11-01 to 2026-11-30 | 2026-11-03 | 249739 | 15234385549 |
-- | 5 | 2026-10-01 to 2026-10-31 | 2026-10-05 | 188548 | 17482869202 |
