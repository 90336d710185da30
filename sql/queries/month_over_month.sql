-- How did each account's usage move against the month before?
-- Grain: one row per account × class.
-- Reads: usage_daily_parts.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text, all): one account, or all of them
-- Parameter top (number, 1000): how many rows at most
-- Chart: bar, account_id, change, class
-- Read by: people (edgetoll query).
WITH moved AS (
    SELECT
        account_id,
        class,
        CAST(coalesce(sum(requests) FILTER (WHERE day >= CAST($month || '-01' AS DATE)), 0) AS BIGINT) AS requests,
        CAST(coalesce(sum(requests) FILTER (WHERE day < CAST($month || '-01' AS DATE)), 0) AS BIGINT) AS requests_before
    FROM usage_daily_parts
    WHERE
        day >= CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH
        AND day < CAST($month || '-01' AS DATE) + INTERVAL 1 MONTH
        AND ($account = 'all' OR account_id = $account)
    GROUP BY account_id, class
)

SELECT
    account_id,
    class,
    requests,
    requests_before,
    requests - requests_before AS change,
    1000 * (requests - requests_before) // nullif(requests_before, 0) AS change_permille
FROM moved
ORDER BY abs(requests - requests_before) DESC, account_id, class
LIMIT $top

-- Sample:
-- edgetoll query month_over_month --param month=2026-11 --param account=acme
-- | account_id | class | requests | requests_before | change | change_permille |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | acme | https | 248131 | 186136 | 61995 | 333 |
-- | acme | http | 1002 | 1503 | -501 | -333 |
-- | acme | quic | 606 | 909 | -303 | -333 |
