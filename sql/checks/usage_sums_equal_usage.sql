-- What the lake keeps by the hour and by the day is its 5-minute usage, added up; so is what it keeps for bandwidth, of which
-- the largest and the smallest 5 minutes of an hour are kept apart.
-- Grain: one row per account and class whose sums differ; per account, without a class, where bandwidth does, or has other extremes.
-- Reads: the lake: lake_usage_5min, lake_usage_hourly, lake_usage_daily, lake_bandwidth_hourly, lake_usage_open
-- (what no sum has yet).
-- Read by: billing/commands/compare.py.
WITH parts AS (
    SELECT 'bucket' AS kept, account_id, class, requests, bytes_sent FROM lake_usage_5min
    UNION ALL
    SELECT 'hour' AS kept, account_id, class, requests, bytes_sent FROM lake_usage_hourly
    UNION ALL
    SELECT 'day' AS kept, account_id, class, requests, bytes_sent FROM lake_usage_daily
    UNION ALL
    SELECT k.kept, u.account_id, u.class, u.requests, u.bytes_sent
    FROM lake_usage_open AS u
    CROSS JOIN (VALUES ('hour'), ('day')) AS k(kept)
),

sums AS (
    SELECT
        account_id,
        class,
        coalesce(sum(requests) FILTER (kept = 'bucket'), 0) AS requests,
        coalesce(sum(requests) FILTER (kept = 'hour'), 0) AS by_hour,
        coalesce(sum(requests) FILTER (kept = 'day'), 0) AS by_day,
        coalesce(sum(bytes_sent) FILTER (kept = 'bucket'), 0) AS bytes_sent,
        coalesce(sum(bytes_sent) FILTER (kept = 'hour'), 0) AS bytes_by_hour,
        coalesce(sum(bytes_sent) FILTER (kept = 'day'), 0) AS bytes_by_day
    FROM parts
    GROUP BY account_id, class
),

bandwidth AS (
    SELECT account_id, minute, sum(bytes_sent) AS bytes_sent
    FROM (
        SELECT account_id, minute, bytes_sent
        FROM (
            UNPIVOT lake_bandwidth_hourly
            ON COLUMNS('from_.*')
            INTO NAME minute VALUE bytes_sent
        )
        UNION ALL
        SELECT account_id, 'from_' || lpad(CAST(minute(bucket) AS VARCHAR), 2, '0') AS minute, bytes_sent
        FROM lake_usage_open
    )
    GROUP BY account_id, minute
),

sent AS (
    SELECT account_id, 'from_' || lpad(CAST(minute(bucket) AS VARCHAR), 2, '0') AS minute, sum(bytes_sent) AS bytes_sent
    FROM lake_usage_5min
    WHERE bytes_sent > 0
    GROUP BY account_id, minute
),

differs AS (
    SELECT coalesce(s.account_id, b.account_id) AS account_id, s.bytes_sent AS bytes_sent, b.bytes_sent AS for_bandwidth
    FROM sent AS s
    FULL JOIN bandwidth AS b ON s.account_id IS NOT DISTINCT FROM b.account_id AND s.minute = b.minute
    WHERE coalesce(s.bytes_sent, 0) <> coalesce(b.bytes_sent, 0)
)

SELECT account_id, class, requests, by_hour, by_day, bytes_sent, bytes_by_hour, bytes_by_day
FROM sums
WHERE requests <> by_hour OR requests <> by_day OR bytes_sent <> bytes_by_hour OR bytes_sent <> bytes_by_day
UNION ALL
SELECT account_id, 'bandwidth', 0, 0, 0, coalesce(bytes_sent, 0), coalesce(for_bandwidth, 0), 0
FROM differs
UNION ALL
SELECT account_id, 'extremes', 0, 0, 0, sum(most), sum(fewest), 0
FROM lake_bandwidth_hourly
WHERE
    most <> greatest(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    )
    OR fewest <> least(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    )
GROUP BY account_id
ORDER BY ALL
