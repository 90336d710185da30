-- How much of the encrypted traffic is HTTP/3 (QUIC)?
-- Grain: one row per month.
-- Reads: usage_monthly.
-- Chart: line, month, quic_permille
-- Read by: people (edgetoll query).
SELECT
    month,
    CAST(coalesce(sum(requests) FILTER (WHERE class = 'quic'), 0) AS BIGINT) AS quic_requests,
    CAST(coalesce(sum(requests) FILTER (WHERE class = 'https'), 0) AS BIGINT) AS https_requests,
    CAST(
        1000 * coalesce(sum(requests) FILTER (WHERE class = 'quic'), 0)
        // nullif(sum(requests) FILTER (WHERE class <> 'http'), 0) AS BIGINT
    ) AS quic_permille
FROM usage_monthly
GROUP BY month
ORDER BY month

-- Sample:
-- edgetoll query quic_share_by_month
-- | month | quic_requests | https_requests | quic_permille |
-- | --- | ---: | ---: | ---: |
-- | 2026-10 | 909 | 228211 | 3 |
-- | 2026-11 | 606 | 304185 | 1 |
