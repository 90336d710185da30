-- How far has traffic moved from HTTP to HTTPS and QUIC?
-- Grain: one row per month × class.
-- Reads: usage_monthly.
-- Parameter account (text, all): one account, or all of them
-- Chart: line, month, share_permille, class
-- Read by: people (edgetoll query).
SELECT
    month,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(1000 * sum(requests) // nullif(sum(sum(requests)) OVER (PARTITION BY month), 0) AS BIGINT) AS share_permille
FROM usage_monthly
WHERE $account = 'all' OR account_id = $account
GROUP BY month, class
ORDER BY month, class

-- Sample:
-- edgetoll query https_migration_by_month --param account=acme
-- | month | class | requests | share_permille |
-- | --- | --- | ---: | ---: |
-- | 2026-10 | http | 1503 | 7 |
-- | 2026-10 | https | 186136 | 987 |
-- | 2026-10 | quic | 909 | 4 |
-- | 2026-11 | http | 1002 | 4 |
-- | 2026-11 | https | 248131 | 993 |
-- … 1 more
