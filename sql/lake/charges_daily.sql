-- What was charged, added up by the day: what questions over months read.
-- Grain: one row per day of period_start (UTC) × account × item × region × month × rate card × currency × whether it
-- corrects, of the journal records in the session's lake_range; sorted by account.
-- Reads: filed_charges.
-- Read by: sql/views/charges_daily.sql.
SELECT
    CAST(period_start AS DATE) AS day,
    account_id,
    item,
    region,
    month,
    rate_card,
    currency,
    revision > 0 AS is_correction,
    CAST(sum(quantity) AS DECIMAL(38, 0)) AS quantity,
    CAST(sum(free_quantity) AS DECIMAL(38, 0)) AS free_quantity,
    CAST(sum(plan_quantity) AS DECIMAL(38, 0)) AS plan_quantity,
    CAST(sum(billable_quantity) AS DECIMAL(38, 0)) AS billable_quantity,
    CAST(sum(amount) AS DECIMAL(38, 0)) AS amount,
    count(*) AS charges,
    max(period_end) AS period_end
FROM filed_charges
WHERE
    journal_no > getvariable('lake_range').after
    AND journal_no <= getvariable('lake_range').through
GROUP BY ALL
ORDER BY account_id, item, region, day;
