-- Which domains answer with errors?
-- Grain: one row per domain.
-- Reads: usage_hourly_parts. A file that does not say how requests were answered is left out.
-- Parameter month (month): the month asked about, UTC
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, domain, server_errors
-- Read by: people (edgetoll query).
WITH answered AS (
    SELECT
        domain,
        account_id,
        CAST(
            coalesce(sum(status_0xx), 0) + coalesce(sum(status_1xx), 0) + coalesce(sum(status_2xx), 0)
            + coalesce(sum(status_3xx), 0) + coalesce(sum(status_4xx), 0) + coalesce(sum(status_5xx), 0)
            + coalesce(sum(status_other), 0)
            AS BIGINT
        ) AS answers,
        CAST(coalesce(sum(status_4xx), 0) AS BIGINT) AS client_errors,
        CAST(coalesce(sum(status_5xx), 0) AS BIGINT) AS server_errors
    FROM usage_hourly_parts
    WHERE hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY domain, account_id
)

SELECT
    domain,
    account_id,
    answers AS requests,
    client_errors,
    server_errors,
    1000 * server_errors // answers AS server_errors_permille
FROM answered
WHERE answers <> 0
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
