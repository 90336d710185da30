-- How much of the encrypted traffic is HTTP/3 (QUIC)?
-- Grain: one row per month.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query).
-- Chart: line, month, quic_permille
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
