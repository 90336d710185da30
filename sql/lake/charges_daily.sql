-- What was charged, added up by the day of the account's time zone: what questions over a month read.
-- Grain: one row per account × month × day × item × region × rate card × currency, of the journal records in the session's lake_range.
-- corrected: of amount, what revisions moved; period_end: the last end of a period charged.
-- Reads: filed_charges, accounts, given_zone_offsets (registered by billing/lake/publish.py from billing/zones.py).
-- Read by: sql/views/charges_daily_parts.sql.
WITH filed AS (
    SELECT
        c.account_id,
        c.month,
        c.period_start,
        c.item,
        c.region,
        c.rate_card,
        c.currency,
        a.timezone,
        max(c.period_end) AS period_end,
        sum(c.quantity) AS quantity,
        sum(c.free_quantity) AS free_quantity,
        sum(c.plan_quantity) AS plan_quantity,
        sum(c.billable_quantity) AS billable_quantity,
        sum(c.amount) AS amount,
        count(*) AS charges,
        count(*) FILTER (c.revision > 0) AS corrections,
        coalesce(sum(c.amount) FILTER (c.revision > 0), 0) AS corrected
    FROM filed_charges AS c
    INNER JOIN accounts AS a ON c.account_id = a.account_id
    WHERE
        c.journal_no > getvariable('lake_range').after
        AND c.journal_no <= getvariable('lake_range').through
    GROUP BY ALL
),

-- A day of the month it was charged for: a zone that changed since may say another one.
days AS (
    SELECT
        p.month,
        p.period_start,
        p.timezone,
        CAST(p.period_start + to_seconds(o.offset_seconds) AS DATE) AS here,
        CASE
            WHEN here IS NULL
                THEN error('no rules for the time zone ' || p.timezone || ' at ' || p.period_start)
            ELSE greatest(
                CAST(p.month || '-01' AS DATE), least(here, last_day(CAST(p.month || '-01' AS DATE)))
            )
        END AS day
    FROM (SELECT DISTINCT month, period_start, timezone FROM filed) AS p
    LEFT JOIN given_zone_offsets AS o
        ON p.timezone = o.zone AND p.period_start >= o.from_utc AND p.period_start < o.until_utc
)

SELECT
    f.account_id,
    f.month,
    d.day,
    f.item,
    f.region,
    f.currency,
    CAST(sum(f.quantity) AS BIGINT) AS quantity,
    CAST(sum(f.free_quantity) AS BIGINT) AS free_quantity,
    CAST(sum(f.plan_quantity) AS BIGINT) AS plan_quantity,
    CAST(sum(f.billable_quantity) AS BIGINT) AS billable_quantity,
    CAST(sum(f.amount) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    CAST(sum(f.charges) AS BIGINT) AS charges,
    CAST(sum(f.corrections) AS BIGINT) AS corrections,
    f.rate_card,
    CAST(sum(f.corrected) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS corrected,
    max(f.period_end) AS period_end
FROM filed AS f
INNER JOIN days AS d
    ON f.month = d.month AND f.period_start = d.period_start AND f.timezone = d.timezone
GROUP BY f.account_id, f.month, d.day, f.item, f.region, f.rate_card, f.currency
ORDER BY f.account_id, d.day, f.item, f.region, f.rate_card;
