-- When did each account need most bandwidth?
-- Grain: one row per account: its largest 5 minutes of the month (UTC).
-- Reads: bandwidth_5min.
-- Parameter month (month): the month asked about, UTC
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, account_id, peak_bits_per_second
-- Read by: people (edgetoll query).
WITH whole AS (
    SELECT bucket, account_id, CAST(sum(bytes_sent) * 8 // 300 AS BIGINT) AS bits_per_second
    FROM bandwidth_5min
    WHERE bucket >= CAST($month || '-01' AS TIMESTAMP)
        AND bucket < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY bucket, account_id
)

SELECT
    account_id,
    max(bits_per_second) AS peak_bits_per_second,
    min(bucket) FILTER (WHERE bits_per_second = most) AS at
FROM (SELECT *, max(bits_per_second) OVER (PARTITION BY account_id) AS most FROM whole)
GROUP BY account_id
ORDER BY peak_bits_per_second DESC, account_id
LIMIT $top

-- Sample:
-- edgetoll query bandwidth_peaks --param month=2026-11
-- | account_id | peak_bits_per_second | at |
-- | --- | ---: | --- |
-- | acme | 117225794 | 2026-11-03 08:00 |
-- | beta | 28633115 | 2026-11-03 08:00 |
-- |  | 329 | 2026-11-03 08:00 |
