-- Which domains began or ceased to be served this month?
-- Grain: one row per domain served in only one of two months.
-- Reads: usage_monthly.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter top (number, 20): how many rows at most
-- Read by: people (edgetoll query).
SELECT
    domain,
    account_id,
    CASE WHEN bool_or(month = $month) THEN 'new' ELSE 'lost' END AS moved,
    CAST(sum(requests) AS BIGINT) AS requests
FROM usage_monthly
WHERE month IN ($month, strftime(CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m'))
GROUP BY domain, account_id
HAVING count(DISTINCT month) = 1
ORDER BY moved, requests DESC, domain
LIMIT $top

-- Sample:
-- edgetoll query new_and_lost_domains --param month=2026-11
-- | domain | account_id | moved | requests |
-- | --- | --- | --- | ---: |
