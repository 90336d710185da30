-- How does usage move from month to month?
-- Grain: one row per account × class × month.
-- Reads: usage_monthly.
-- Chart: line, month, requests, class
-- Read by: people (edgetoll query).
WITH monthly AS (
    SELECT
        account_id,
        class,
        month,
        CAST(sum(requests) AS BIGINT) AS requests
    FROM usage_monthly
    GROUP BY account_id, class, month
)

SELECT
    account_id,
    class,
    month,
    requests,
    lag(requests) OVER by_month AS requests_before,
    100 * (requests - lag(requests) OVER by_month) // nullif(lag(requests) OVER by_month, 0)
        AS growth_percent
FROM monthly
WINDOW by_month AS (PARTITION BY account_id, class ORDER BY month)
ORDER BY account_id, class, month

-- Sample:
-- edgetoll query usage_growth_by_month
-- | account_id | class | month | requests | requests_before | growth_percent |
-- | --- | --- | --- | ---: | ---: | ---: |
-- | acme | http | 2026-10 | 1503 |  |  |
-- | acme | http | 2026-11 | 1002 | 1503 | -33 |
-- | acme | https | 2026-10 | 186136 |  |  |
-- | acme | https | 2026-11 | 248131 | 186136 | 33 |
-- | acme | quic | 2026-10 | 909 |  |  |
-- … 7 more
