-- How does one month's usage compare with another's, day beside day?
-- Grain: one row per day of the month (in each account's time zone) × month.
-- Reads: usage_daily.
-- Parameter month (month): the month asked about
-- Parameter other (month): the month to lay beside it
-- Parameter account (text, all): one account, or all of them
-- Parameter domain (text, all): one domain, or all of them
-- Parameter region (text, all): one region, or all of them
-- Chart: line, day_of_month, requests, month
-- Read by: people (edgetoll query).
SELECT
    strftime(day, '%d') AS day_of_month,
    strftime(day, '%Y-%m') AS month,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_daily
WHERE
    strftime(day, '%Y-%m') IN ($month, $other)
    AND ($account = 'all' OR account_id = $account)
    AND $domain IN ('all', domain)
    AND $region IN ('all', region)
GROUP BY ALL
ORDER BY day_of_month, month

-- Sample:
-- edgetoll query usage_of_two_months --param month=2026-11 --param other=2026-10 --param account=acme
-- | day_of_month | month | requests | bytes_sent |
-- | --- | --- | ---: | ---: |
-- | 03 | 2026-11 | 249739 | 15234385549 |
-- | 05 | 2026-10 | 188548 | 17482869202 |
