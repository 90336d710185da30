-- Which domains answer with errors?
-- Grain: one row per domain.
-- Reads: usage_by_status.
-- Parameter month (month): the month asked about, UTC
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, domain, server_errors
-- Read by: people (edgetoll query).
SELECT
    domain,
    account_id,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(coalesce(sum(requests) FILTER (WHERE status_class = '4xx'), 0) AS BIGINT) AS client_errors,
    CAST(coalesce(sum(requests) FILTER (WHERE status_class = '5xx'), 0) AS BIGINT) AS server_errors,
    CAST(1000 * coalesce(sum(requests) FILTER (WHERE status_class = '5xx'), 0) // sum(requests) AS BIGINT)
        AS server_errors_permille
FROM usage_by_status
WHERE strftime(hour, '%Y-%m') = $month
GROUP BY domain, account_id
ORDER BY server_errors DESC, client_errors DESC, domain
LIMIT $top

-- Sample:
-- edgetoll query error_share_by_domain --param month=2026-11
-- | domain | account_id | requests | client_errors | server_errors | server_errors_permille |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | www.acme.example | acme | 240662 | 0 | 26 | 0 |
-- | a.beta.example | beta | 56008 | 0 | 0 | 0 |
-- | b.beta.example | beta | 34 | 0 | 0 | 0 |
-- | cdn.acme.example | acme | 9074 | 0 | 0 | 0 |
-- | nobody.example |  | 46 | 0 | 0 | 0 |
