-- What was left of an account's balance day by day, and when will it be spent, at the soonest and at the latest?
-- Grain: one row per line and time: what was left at the start of each of the last 14 days, in its time zone, then from the last hour rated
-- to zero as expected, at the fastest and at the slowest of the last hour's, day's and week's spending.
-- Reads: account_states, charges_daily, payments, accounts, zone_offsets, the macro utc_of_local.
-- Parameter account (text): the account, by its id
-- Chart: line, moment, available, line
-- Read by: people (edgetoll query).
WITH here AS (
    SELECT a.timezone, o.from_utc, o.until_utc, o.offset_seconds
    FROM accounts AS a
    INNER JOIN zone_offsets AS o ON a.timezone = o.zone
    WHERE a.account_id = $account
),

stands AS (
    SELECT
        available,
        projected,
        currency,
        usage_through,
        projected_zero_at,
        projected_zero_earliest,
        projected_zero_latest
    FROM account_states
    WHERE account_id = $account AND usage_through IS NOT NULL
),

days AS (
    SELECT
        CAST(s.usage_through + to_seconds(h.offset_seconds) AS DATE) - CAST(n.day AS INTEGER) AS day,
        h.timezone,
        s.available,
        s.currency,
        s.usage_through
    FROM stands AS s
    INNER JOIN here AS h ON s.usage_through >= h.from_utc AND s.usage_through < h.until_utc
    CROSS JOIN (SELECT unnest(range(14)) AS day) AS n
),

moved AS (
    SELECT day, amount
    FROM charges_daily
    WHERE account_id = $account
    UNION ALL
    SELECT CAST(p.paid_at + to_seconds(h.offset_seconds) AS DATE) AS day, -p.amount AS amount
    FROM payments AS p
    INNER JOIN here AS h ON p.paid_at >= h.from_utc AND p.paid_at < h.until_utc
    WHERE p.account_id = $account
),

was AS (
    SELECT
        'was left' AS line,
        utc_of_local(d.timezone, CAST(d.day AS TIMESTAMP)) AS moment,
        CAST(any_value(d.available) + coalesce(sum(m.amount), 0) AS DECIMAL(38, 10)) AS available,
        any_value(d.currency) AS currency
    FROM days AS d
    LEFT JOIN moved AS m ON m.day >= d.day
    GROUP BY d.day, d.timezone
    HAVING moment < any_value(d.usage_through)
),

to_come AS (
    SELECT
        'was left' AS line,
        usage_through AS moment,
        available,
        currency
    FROM stands
    UNION ALL
    SELECT 'expected', usage_through, projected, currency FROM stands WHERE projected_zero_at > usage_through
    UNION ALL
    SELECT 'expected', projected_zero_at, 0, currency FROM stands WHERE projected_zero_at > usage_through
    UNION ALL
    SELECT 'at the soonest', usage_through, projected, currency FROM stands WHERE projected_zero_earliest > usage_through
    UNION ALL
    SELECT 'at the soonest', projected_zero_earliest, 0, currency FROM stands WHERE projected_zero_earliest > usage_through
    UNION ALL
    SELECT 'at the latest', usage_through, projected, currency FROM stands WHERE projected_zero_latest > usage_through
    UNION ALL
    SELECT 'at the latest', projected_zero_latest, 0, currency FROM stands WHERE projected_zero_latest > usage_through
)

SELECT line, moment, available, currency FROM was
UNION ALL
SELECT line, moment, CAST(available AS DECIMAL(38, 10)) AS available, currency FROM to_come
ORDER BY moment, line DESC

-- Sample:
-- edgetoll query balance_to_come --param account=acme
-- | line | moment | available | currency |
-- | --- | --- | ---: | --- |
-- | was left | 2026-10-21 00:00 | -0.8000320000 | USD |
-- | was left | 2026-10-22 00:00 | -0.8000320000 | USD |
-- | was left | 2026-10-23 00:00 | -0.8000320000 | USD |
-- | was left | 2026-10-24 00:00 | -0.8000320000 | USD |
-- | was left | 2026-10-25 00:00 | -0.8000320000 | USD |
-- … 16 more
