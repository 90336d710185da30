-- How far has traffic moved from HTTP to HTTPS and QUIC?
-- Grain: one row per month × class.
-- Reads: usage_monthly.
-- Chart: line, month, share_permille, class
-- Read by: people (edgetoll query).
SELECT
    month,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(1000 * sum(requests) // nullif(sum(sum(requests)) OVER (PARTITION BY month), 0) AS BIGINT) AS share_permille
FROM usage_monthly
GROUP BY month, class
ORDER BY month, class

-- Sample:
-- edgetoll query https_migration_by_month
-- | month | class | requests | share_permille |
-- | --- | --- | ---: | ---: |
-- | 2026-10 | http | 1554 | 6 |
-- | 2026-10 | https | 228211 | 989 |
-- | 2026-10 | quic | 909 | 3 |
-- | 2026-11 | http | 1036 | 3 |
-- | 2026-11 | https | 304185 | 994 |
-- … 1 more
