-- Which bandwidth an account's month comes to: its peak and percentiles of 5-minute samples, all regions together.
-- Grain: one row per month (in the account's time zone) × account. slots: 5-minute samples of the month so far, empty too.
-- Owner: billing/rating.
-- Reads: usage_parts, accounts, lake_imported_files, live_hours (which hours there are), percentile_place, utc_of_local.
-- Read by: people (edgetoll sql), sql/queries/bandwidth_percentiles.sql.
CREATE VIEW percentiles AS
WITH known AS (
    SELECT hour FROM lake_imported_files
    UNION ALL
    SELECT hour FROM live_hours
),

days AS (
    SELECT DISTINCT CAST(hour AS DATE) AS day FROM known
),

months AS (
    SELECT
        z.zone,
        strftime(m.first_day, '%Y-%m') AS month,
        utc_of_local(z.zone, CAST(m.first_day AS TIMESTAMP)) AS starts_at,
        utc_of_local(z.zone, CAST(m.first_day AS TIMESTAMP) + INTERVAL 1 MONTH) AS ends_at
    FROM (SELECT DISTINCT timezone AS zone FROM accounts) AS z
    CROSS JOIN (
        SELECT DISTINCT date_trunc('month', day + to_days(moved)) AS first_day
        FROM days CROSS JOIN (VALUES (-1), (0), (1)) AS v(moved)
    ) AS m
),

samples AS (
    SELECT b.bucket, b.account_id, a.timezone, CAST(sum(b.bytes_sent) AS BIGINT) AS bytes_sent
    FROM usage_parts AS b
    INNER JOIN accounts AS a ON b.account_id = a.account_id
    GROUP BY b.bucket, b.account_id, a.timezone
),

listed AS (
    SELECT
        m.month,
        s.account_id,
        date_diff('minute', m.starts_at, least(m.ends_at, (SELECT max(hour) + INTERVAL 1 HOUR FROM known))) // 5 AS slots,
        list_reverse_sort(list(s.bytes_sent)) AS samples
    FROM samples AS s
    INNER JOIN months AS m
        ON s.timezone = m.zone AND s.bucket >= m.starts_at AND s.bucket < m.ends_at
    -- Of a month with pruned hours the samples are not all there.
    WHERE m.starts_at > coalesce((SELECT max(hour) FROM lake_imported_files WHERE pruned), TIMESTAMP '1970-01-01')
    GROUP BY m.month, s.account_id, slots
)

SELECT
    month,
    account_id,
    slots,
    coalesce(samples[percentile_place(slots, 100)], 0) * 8 // 300 AS peak_bits_per_second,
    coalesce(samples[percentile_place(slots, 99)], 0) * 8 // 300 AS p99_bits_per_second,
    coalesce(samples[percentile_place(slots, 95)], 0) * 8 // 300 AS p95_bits_per_second,
    coalesce(samples[percentile_place(slots, 50)], 0) * 8 // 300 AS p50_bits_per_second,
    coalesce(samples[percentile_place(slots, 95)], 0) AS p95_bytes
FROM listed
