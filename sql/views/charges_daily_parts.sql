-- What was charged by the day, not yet added up: for sums over days and months, which would add up every hour's charge.
-- Grain: one row per account × month × day × item × region × rate card × currency × file it comes from (not added up yet: per charge).
-- Owner: billing/rating.
-- Reads: lake_charges_daily, lake_charges_open, lake_accounts, lake_zone_offsets.
-- Read by: people (edgetoll sql), sql/queries/month_at_a_glance.sql, sql/queries/charges_as_they_grow.sql,
-- sql/queries/charges_of_month.sql, sql/queries/what_a_price_change_would_do.sql, sql/queries/unbilled.sql,
-- sql/queries/largest_changes.sql, sql/queries/accounts_near_the_next_tier.sql, sql/macros/what_if.sql.
CREATE VIEW charges_daily_parts AS
WITH periods AS (
    SELECT DISTINCT c.month, c.period_start, a.timezone
    FROM lake_charges_open AS c
    INNER JOIN lake_accounts AS a ON c.account_id = a.account_id
),

-- A day of the month it was charged for: a zone that changed since may say another one.
days AS (
    SELECT
        z.month,
        z.period_start,
        z.timezone,
        greatest(z.first_day, least(z.here, last_day(z.first_day))) AS day
    FROM (
        SELECT
            p.month,
            p.period_start,
            p.timezone,
            CAST(p.month || '-01' AS DATE) AS first_day,
            CAST(
                p.period_start + to_seconds(
                    CASE
                        WHEN o.zone IS NOT NULL THEN o.offset_seconds
                        ELSE error('no rules for the time zone ' || p.timezone || ' at ' || p.period_start)
                    END
                ) AS DATE
            ) AS here
        FROM periods AS p
        LEFT JOIN lake_zone_offsets AS o
            ON p.timezone = o.zone AND p.period_start >= o.from_utc AND p.period_start < o.until_utc
    ) AS z
)

SELECT
    account_id,
    month,
    day,
    item,
    region,
    currency,
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    amount,
    charges,
    corrections,
    rate_card,
    corrected,
    period_end
FROM lake_charges_daily
UNION ALL
SELECT
    c.account_id,
    c.month,
    d.day,
    c.item,
    c.region,
    c.currency,
    coalesce(CAST(TRY_CAST(c.quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(c.quantity AS BIGINT)) AS quantity,
    coalesce(CAST(TRY_CAST(c.free_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(c.free_quantity AS BIGINT)) AS free_quantity,
    coalesce(CAST(TRY_CAST(c.plan_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(c.plan_quantity AS BIGINT)) AS plan_quantity,
    coalesce(CAST(TRY_CAST(c.billable_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(c.billable_quantity AS BIGINT))
        AS billable_quantity,
    CAST(c.amount * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    1 AS charges,
    CASE WHEN c.revision > 0 THEN 1 ELSE 0 END AS corrections,
    c.rate_card,
    CAST(CASE WHEN c.revision > 0 THEN c.amount ELSE 0 END * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS corrected,
    c.period_end
FROM lake_charges_open AS c
INNER JOIN lake_accounts AS a ON c.account_id = a.account_id
INNER JOIN days AS d ON c.month = d.month AND c.period_start = d.period_start AND a.timezone = d.timezone
