-- Which domains are served over HTTPS or QUIC, in permille of all their requests?
-- Grain: one row per account × domain.
-- Reads: usage_monthly.
-- Chart: bar, domain, encrypted_permille
-- Read by: people (edgetoll query).
SELECT
    account_id,
    domain,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(requests) FILTER (WHERE class = 'https') AS BIGINT) AS https_requests,
    CAST(sum(requests) FILTER (WHERE class = 'quic') AS BIGINT) AS quic_requests,
    1000 * coalesce(sum(requests) FILTER (WHERE class <> 'http'), 0) // nullif(sum(requests), 0) AS encrypted_permille
FROM usage_monthly
GROUP BY account_id, domain
ORDER BY requests DESC, domain

-- Sample:
-- edgetoll query https_share_by_domain
-- | account_id | domain | requests | https_requests | quic_requests | encrypted_permille |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | acme | www.acme.example | 421656 | 420141 | 1515 | 1000 |
-- | beta | a.beta.example | 98014 | 98014 |  | 1000 |
-- | acme | cdn.acme.example | 16631 | 14126 |  | 849 |
-- |  | nobody.example | 115 | 115 |  | 1000 |
-- | beta | b.beta.example | 85 |  |  | 0 |
