-- Which domains serve most HTTPS requests?
-- Grain: one row per domain.
-- Reads: usage_monthly.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter top (number, 20): how many rows at most
-- Parameter account (text, all): one account, or all of them
-- Chart: bar, domain, https_requests
-- Read by: people (edgetoll query).
SELECT
    domain,
    account_id,
    CAST(sum(requests) AS BIGINT) AS https_requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM usage_monthly
WHERE month = $month AND class = 'https' AND ($account = 'all' OR account_id = $account)
GROUP BY domain, account_id
ORDER BY https_requests DESC, domain
LIMIT $top

-- Sample:
-- edgetoll query top_domains_by_https_requests --param month=2026-11 --param account=acme
-- | domain | account_id | https_requests | bytes_sent |
-- | --- | --- | ---: | ---: |
-- | www.acme.example | acme | 240059 | 8589934607 |
-- | cdn.acme.example | acme | 8072 | 6442450944 |
