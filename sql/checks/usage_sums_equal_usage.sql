-- What the lake keeps by the hour and by the day is its 5-minute usage, added up.
-- Grain: one row per account and class whose sums differ.
-- Reads: the lake: lake_usage_5min, lake_usage_hourly, lake_usage_daily.
-- Read by: billing/commands/compare.py.
WITH parts AS (
    SELECT 'bucket' AS kept, account_id, class, requests, bytes_sent FROM lake_usage_5min
    UNION ALL
    SELECT 'hour' AS kept, account_id, class, requests, bytes_sent FROM lake_usage_hourly
    UNION ALL
    SELECT 'day' AS kept, account_id, class, requests, bytes_sent FROM lake_usage_daily
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
)

SELECT account_id, class, requests, by_hour, by_day, bytes_sent, bytes_by_hour, bytes_by_day
FROM sums
WHERE requests <> by_hour OR requests <> by_day OR bytes_sent <> bytes_by_hour OR bytes_sent <> bytes_by_day
ORDER BY ALL
