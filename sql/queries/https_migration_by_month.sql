-- How far has traffic moved from HTTP to HTTPS and QUIC?
-- Grain: one row per month × class.
-- Reads: usage_monthly.
-- Read by: people (edgetoll query).
-- Chart: line, month, share_permille, class
SELECT
    month,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(1000 * sum(requests) // nullif(sum(sum(requests)) OVER (PARTITION BY month), 0) AS BIGINT) AS share_permille
FROM usage_monthly
GROUP BY month, class
ORDER BY month, class
