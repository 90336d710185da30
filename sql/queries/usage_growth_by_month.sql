-- How does usage move from month to month?
-- Grain: one row per account × class × month.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query).
-- Chart: line, month, requests, class
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
