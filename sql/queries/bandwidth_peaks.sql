-- When did each account need most bandwidth?
-- Grain: one row per account: its largest 5 minutes of the month (UTC).
-- Reads: usage_parts.
-- Parameter month (month): the month asked about, UTC
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, account_id, peak_bits_per_second
-- Read by: people (edgetoll query).
WITH whole AS MATERIALIZED (
    SELECT bucket, account_id, sum(bytes_sent) AS bytes_sent
    FROM usage_parts
    WHERE bucket >= CAST($month || '-01' AS TIMESTAMP)
        AND bucket < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY bucket, account_id
),

peaks AS (
    SELECT account_id, max(bytes_sent) AS most
    FROM whole
    GROUP BY account_id
    ORDER BY most DESC, account_id
    LIMIT $top
)

SELECT
    p.account_id,
    CAST(p.most * 8 // 300 AS BIGINT) AS peak_bits_per_second,
    min(w.bucket) AS at
FROM peaks AS p
INNER JOIN whole AS w ON w.account_id IS NOT DISTINCT FROM p.account_id AND w.bytes_sent = p.most
GROUP BY p.account_id, p.most
ORDER BY peak_bits_per_second DESC, p.account_id

-- Sample:
-- edgetoll query bandwidth_peaks --param month=2026-11
-- | account_id | peak_bits_per_second | at |
-- | --- | ---: | --- |
-- | acme | 117225794 | 2026-11-03 08:00 |
-- | beta | 28633115 | 2026-11-03 08:00 |
-- |  | 329 | 2026-11-03 08:00 |
