-- How did each account's usage move against the month before?
-- Grain: one row per account × class.
-- Reads: usage_monthly.
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, account_id, change, class
-- Read by: people (edgetoll query).
WITH moved AS (
    SELECT
        account_id,
        class,
        CAST(coalesce(sum(requests) FILTER (WHERE month = $month), 0) AS BIGINT) AS requests,
        CAST(coalesce(sum(requests) FILTER (WHERE month <> $month), 0) AS BIGINT) AS requests_before
    FROM usage_monthly
    WHERE month IN ($month, strftime(CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m'))
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

-- Sample:
-- edgetoll query month_over_month --param month=2026-11
-- | account_id | class | requests | requests_before | change | change_permille |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | acme | https | 248131 | 186136 | 61995 | 333 |
-- | beta | https | 56008 | 42006 | 14002 | 333 |
-- | acme | http | 1002 | 1503 | -501 | -333 |
-- | acme | quic | 606 | 909 | -303 | -333 |
-- |  | https | 46 | 69 | -23 | -333 |
-- … 1 more
