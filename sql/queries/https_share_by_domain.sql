-- Which domains are served over HTTPS or QUIC, in permille of all their requests?
-- Grain: one row per account × domain.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query).
-- Chart: bar, domain, encrypted_permille
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
