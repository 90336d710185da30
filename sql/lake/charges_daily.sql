-- What was charged, added up by the day of the account's time zone: what questions over months read.
-- Grain: one row per day of period_start × account × item × region × month × rate card × currency × whether it corrects,
-- of the journal records in the session's lake_range; sorted by account.
-- Reads: filed_charges, accounts, given_zone_offsets (registered by billing/lake/publish.py from billing/zones.py).
-- Read by: sql/views/charges_daily.sql.
WITH filed AS (
    SELECT c.*, coalesce(a.timezone, 'UTC') AS timezone
    FROM filed_charges AS c
    LEFT JOIN accounts AS a ON c.account_id = a.account_id
    WHERE
        c.journal_no > getvariable('lake_range').after
        AND c.journal_no <= getvariable('lake_range').through
),

-- Within the month it was charged for: an account's zone that changed since may say another day.
days AS (
    SELECT
        p.month,
        p.period_start,
        p.timezone,
        CASE
            WHEN o.offset_seconds IS NULL
                THEN error('no rules for the time zone ' || p.timezone || ' at ' || p.period_start)
            ELSE greatest(
                CAST(p.month || '-01' AS DATE),
                least(
                    CAST(p.period_start + to_seconds(o.offset_seconds) AS DATE),
                    last_day(CAST(p.month || '-01' AS DATE))
                )
            )
        END AS day
    FROM (SELECT DISTINCT month, period_start, timezone FROM filed) AS p
    LEFT JOIN given_zone_offsets AS o
        ON p.timezone = o.zone AND p.period_start >= o.from_utc AND p.period_start < o.until_utc
)

SELECT
    d.day,
    f.account_id,
    f.item,
    f.region,
    f.month,
    f.rate_card,
    f.currency,
    f.revision > 0 AS is_correction,
    CAST(sum(f.quantity) AS BIGINT) AS quantity,
    CAST(sum(f.free_quantity) AS BIGINT) AS free_quantity,
    CAST(sum(f.plan_quantity) AS BIGINT) AS plan_quantity,
    CAST(sum(f.billable_quantity) AS BIGINT) AS billable_quantity,
    CAST(sum(f.amount) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    count(*) AS charges,
    max(f.period_end) AS period_end
FROM filed AS f
INNER JOIN days AS d
    ON f.month = d.month AND f.period_start = d.period_start AND f.timezone = d.timezone
GROUP BY ALL
ORDER BY f.account_id, f.item, f.region, d.day;
