-- When did each account need most bandwidth?
-- Grain: one row per account: its largest 5 minutes of the month (UTC).
-- Reads: bandwidth_hourly.
-- Parameter month (month): the month asked about, UTC
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, account_id, peak_bits_per_second
-- Read by: people (edgetoll query).
WITH largest AS NOT MATERIALIZED (
    SELECT *
    FROM bandwidth_hourly
    WHERE hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
),

peaks AS MATERIALIZED (
    SELECT account_id, max(most) AS most
    FROM largest
    GROUP BY account_id
    ORDER BY most DESC, account_id
    LIMIT $top
)

SELECT
    p.account_id,
    CAST(p.most * 8 // 300 AS BIGINT) AS peak_bits_per_second,
    min(b.hour + to_minutes(5 * list_position(
        [b.from_00, b.from_05, b.from_10, b.from_15, b.from_20, b.from_25,
        b.from_30, b.from_35, b.from_40, b.from_45, b.from_50, b.from_55],
        p.most
    ) - 5)) AS at
FROM peaks AS p
INNER JOIN largest AS b ON b.account_id IS NOT DISTINCT FROM p.account_id AND b.most = p.most
GROUP BY p.account_id, p.most
ORDER BY peak_bits_per_second DESC, p.account_id

-- Sample:
-- edgetoll query bandwidth_peaks --param month=2026-11
-- | account_id | peak_bits_per_second | at |
-- | --- | ---: | --- |
-- | acme | 117225794 | 2026-11-03 08:00 |
-- | beta | 28633115 | 2026-11-03 08:00 |
-- |  | 329 | 2026-11-03 08:00 |
