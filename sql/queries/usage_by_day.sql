-- What is served, day by day?
-- Grain: one row per day (in each account's time zone) × class.
-- Reads: usage_daily.
-- Parameter month (month): the month asked about
-- Parameter account (text, all): one account, or all of them
-- Chart: stack, day, requests, class
-- Read by: people (edgetoll query).
SELECT
    day,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_daily
WHERE strftime(day, '%Y-%m') = $month AND ($account = 'all' OR account_id = $account)
GROUP BY day, class
ORDER BY day, class

-- Sample:
-- edgetoll query usage_by_day --param month=2026-11 --param account=acme
-- | day | class | requests | bytes_sent |
-- | --- | --- | ---: | ---: |
-- | 2026-11-03 | http | 1002 | 1999998 |
-- | 2026-11-03 | https | 248131 | 15032385551 |
-- | 2026-11-03 | quic | 606 | 200000000 |
