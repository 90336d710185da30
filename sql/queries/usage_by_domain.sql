-- What was served, by whom, over what?
-- Grain: one row per account × domain.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query), examples/demo.py.
SELECT
    coalesce(account_id, '(nobody)') AS account,
    domain,
    CAST(sum(requests) FILTER (WHERE class = 'https') AS BIGINT) AS https_requests,
    CAST(sum(requests) FILTER (WHERE class = 'quic') AS BIGINT) AS quic_requests,
    CAST(sum(requests) FILTER (WHERE class = 'http') AS BIGINT) AS http_requests,
    CAST(sum(bytes_sent) AS BIGINT) // 1073741824 AS gigabytes
FROM usage_monthly
GROUP BY account_id, domain
ORDER BY account, domain

-- Sample:
-- edgetoll query usage_by_domain
-- | account | domain | https_requests | quic_requests | http_requests | gigabytes |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | (nobody) | nobody.example | 115 |  |  | 0 |
-- | acme | cdn.acme.example | 14126 |  | 2505 | 15 |
-- | acme | www.acme.example | 420141 | 1515 |  | 15 |
-- | beta | a.beta.example | 98014 |  |  | 5 |
-- | beta | b.beta.example |  |  | 85 | 1 |
