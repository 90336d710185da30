-- Which domains serve most HTTPS requests?
-- Grain: one row per domain.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, domain, https_requests
SELECT
    domain,
    account_id,
    CAST(sum(requests) AS BIGINT) AS https_requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_monthly
WHERE month = $month AND class = 'https'
GROUP BY domain, account_id
ORDER BY https_requests DESC, domain
LIMIT $top
