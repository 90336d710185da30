-- Which bandwidth each account's months (or those of one account) come to, from a first to a last one (YYYY-MM): peak and percentiles of 5-minute samples.
-- Grain: one row per month (in the account's time zone) × account. slots: 5-minute samples of the month so far, empty too.
-- Of each month the largest samples are kept up to the 95th percentile; with_middle: up to the 50th, in ten times the memory.
-- Reads: bandwidth_hourly, lake_bandwidth_hourly, lake_accounts, lake_imported_files, live_hours (which hours there are), percentile_place, utc_of_local.
-- Read by: people (edgetoll sql), sql/views/percentiles.sql, sql/queries/bandwidth_percentiles.sql.
CREATE MACRO percentiles_between(first_month, last_month, of_account := 'all', with_middle := false) AS TABLE
WITH known AS (
    SELECT hour FROM lake_imported_files
    UNION ALL
    SELECT hour FROM live_hours
),

months AS (
    SELECT
        z.zone,
        strftime(m.first_day, '%Y-%m') AS month,
        utc_of_local(z.zone, CAST(m.first_day AS TIMESTAMP)) AS starts_at,
        utc_of_local(z.zone, CAST(m.first_day AS TIMESTAMP) + INTERVAL 1 MONTH) AS ends_at
    FROM (SELECT DISTINCT timezone AS zone FROM lake_accounts) AS z
    CROSS JOIN (
        SELECT DISTINCT date_trunc('month', CAST(hour AS DATE) + to_days(moved)) AS first_day
        FROM known CROSS JOIN (VALUES (-1), (0), (1)) AS v(moved)
    ) AS m
    WHERE strftime(m.first_day, '%Y-%m') BETWEEN first_month AND last_month
),

ranges AS MATERIALIZED (
    SELECT
        a.account_id,
        m.month,
        m.starts_at,
        m.ends_at,
        date_diff('minute', m.starts_at, least(m.ends_at, (SELECT max(hour) + INTERVAL 1 HOUR FROM known))) // 5 AS slots,
        CAST(row_number() OVER () AS INTEGER) AS n
    FROM lake_accounts AS a
    INNER JOIN months AS m ON a.timezone = m.zone
    WHERE
        of_account IN ('all', a.account_id)
        -- Of a month with pruned hours the samples are not all there.
        AND m.starts_at > coalesce((SELECT max(hour) FROM lake_imported_files WHERE pruned), TIMESTAMP '1970-01-01')
),

-- A sample below this one does not count: in so many hours one is as large, or in a twelfth of them all are. So most are
-- never looked at. Of an hour in parts one part is taken: what others add makes its samples larger.
floors AS (
    SELECT
        r.n,
        greatest(
            coalesce(max(b.most, percentile_place(r.slots, 95))[percentile_place(r.slots, 95)], 0),
            coalesce(max(b.fewest, percentile_place(r.slots, 95) // 12 + 1)[percentile_place(r.slots, 95) // 12 + 1], 0)
        ) AS lowest
    FROM lake_bandwidth_hourly AS b
    INNER JOIN ranges AS r
        ON b.account_id = r.account_id AND b.hour >= r.starts_at AND b.hour <= r.ends_at - INTERVAL 1 HOUR
    WHERE b.hour >= CAST(first_month || '-01' AS TIMESTAMP) - INTERVAL 1 DAY
        AND b.hour < CAST(last_month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH + INTERVAL 1 DAY
        AND NOT b.is_more AND NOT with_middle
    GROUP BY r.n, r.slots
),

bounded AS MATERIALIZED (
    SELECT r.*, coalesce(f.lowest, 0) AS lowest
    FROM ranges AS r
    LEFT JOIN floors AS f ON r.n = f.n
),

-- An hour in which a month begins or ends, in zones of half hours, is cut.
samples AS (
    SELECT
        r.n,
        r.slots,
        unnest(list_filter(
            list_slice(
                [b.from_00, b.from_05, b.from_10, b.from_15, b.from_20, b.from_25,
                b.from_30, b.from_35, b.from_40, b.from_45, b.from_50, b.from_55],
                1 + greatest(0, date_diff('minute', b.hour, r.starts_at) // 5),
                least(12, date_diff('minute', b.hour, r.ends_at) // 5)
            ),
            lambda sent: sent >= r.lowest
        )) AS bytes_sent
    FROM bandwidth_hourly AS b
    INNER JOIN bounded AS r
        ON b.account_id = r.account_id AND b.hour > r.starts_at - INTERVAL 1 HOUR AND b.hour < r.ends_at
        AND b.most >= r.lowest
    WHERE b.hour >= CAST(first_month || '-01' AS TIMESTAMP) - INTERVAL 1 DAY
        AND b.hour < CAST(last_month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH + INTERVAL 1 DAY
),

largest AS (
    SELECT
        n,
        max(bytes_sent, percentile_place(slots, 95)) AS twentieth,
        max(CASE WHEN with_middle THEN bytes_sent END, percentile_place(slots, 50)) AS half
    FROM samples
    GROUP BY n
)

SELECT
    r.month,
    r.account_id,
    r.slots,
    coalesce(l.twentieth[1], 0) * 8 // 300 AS peak_bits_per_second,
    coalesce(l.twentieth[percentile_place(r.slots, 99)], 0) * 8 // 300 AS p99_bits_per_second,
    coalesce(l.twentieth[percentile_place(r.slots, 95)], 0) * 8 // 300 AS p95_bits_per_second,
    CASE WHEN with_middle THEN coalesce(l.half[percentile_place(r.slots, 50)], 0) * 8 // 300 END AS p50_bits_per_second,
    coalesce(l.twentieth[percentile_place(r.slots, 95)], 0) AS p95_bytes
FROM ranges AS r
INNER JOIN largest AS l ON r.n = l.n
