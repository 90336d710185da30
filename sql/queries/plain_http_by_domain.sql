-- Which domains still serve plain HTTP, and how much of it?
-- Grain: one row per domain that had HTTP requests.
-- Reads: usage_monthly.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, domain, http_requests
-- Read by: people (edgetoll query).
SELECT
    domain,
    account_id,
    CAST(sum(requests) FILTER (WHERE class = 'http') AS BIGINT) AS http_requests,
    CAST(coalesce(sum(requests) FILTER (WHERE class <> 'http'), 0) AS BIGINT) AS encrypted_requests,
    CAST(1000 * sum(requests) FILTER (WHERE class = 'http') // sum(requests) AS BIGINT) AS http_permille
FROM usage_monthly
WHERE month = $month
GROUP BY domain, account_id
HAVING sum(requests) FILTER (WHERE class = 'http') > 0
ORDER BY http_requests DESC, domain
LIMIT $top

-- Sample:
-- edgetoll query plain_http_by_domain --param month=2026-11
-- | domain | account_id | http_requests | encrypted_requests | http_permille |
-- | --- | --- | ---: | ---: | ---: |
-- | cdn.acme.example | acme | 1002 | 8072 | 110 |
-- | b.beta.example | beta | 34 | 0 | 1000 |
