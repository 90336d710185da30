-- What was charged, added up by the day of the account's time zone: what questions over a month read.
-- Grain: one row per account × month × day × item × region × rate card × currency, of the journal records in the session's lake_range.
-- corrected: of amount, what revisions moved; period_end: the last end of a period charged.
-- Reads: filed_charges, accounts, given_zone_offsets (registered by billing/lake/publish.py from billing/zones.py).
-- Read by: sql/views/charges_daily_parts.sql.
WITH filed AS NOT MATERIALIZED (
    SELECT *
    FROM filed_charges
    WHERE
        journal_no > getvariable('lake_range').after
        AND journal_no <= getvariable('lake_range').through
),

-- A day of the month it was charged for: a zone that changed since may say another one. Looked up once per period.
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
            o.zone AS timezone,
            CAST(p.month || '-01' AS DATE) AS first_day,
            CAST(p.period_start + to_seconds(o.offset_seconds) AS DATE) AS here
        FROM (SELECT DISTINCT month, period_start FROM filed) AS p
        INNER JOIN given_zone_offsets AS o ON p.period_start >= o.from_utc AND p.period_start < o.until_utc
    ) AS z
)

SELECT
    f.account_id,
    f.month,
    CASE
        WHEN d.day IS NOT NULL THEN d.day
        ELSE error('no rules for the time zone ' || a.timezone || ' at ' || f.period_start)
    END AS day,
    f.item,
    f.region,
    f.currency,
    CAST(sum(f.quantity) AS BIGINT) AS quantity,
    CAST(sum(f.free_quantity) AS BIGINT) AS free_quantity,
    CAST(sum(f.plan_quantity) AS BIGINT) AS plan_quantity,
    CAST(sum(f.billable_quantity) AS BIGINT) AS billable_quantity,
    CAST(sum(f.amount) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    count(*) AS charges,
    count(*) FILTER (f.revision > 0) AS corrections,
    f.rate_card,
    CAST(coalesce(sum(f.amount) FILTER (f.revision > 0), 0) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS corrected,
    max(f.period_end) AS period_end
FROM filed AS f
INNER JOIN accounts AS a ON f.account_id = a.account_id
LEFT JOIN days AS d ON f.month = d.month AND f.period_start = d.period_start AND a.timezone = d.timezone
GROUP BY ALL
ORDER BY f.account_id, day, f.item, f.region, f.rate_card;
