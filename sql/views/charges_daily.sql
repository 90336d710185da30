-- What was charged, added up by the day; several rows of one day are to be added up. For sums over months.
-- Grain: one row per day × account × item × region × month × rate card × currency × is_correction × file it stands in.
-- Owner: billing/rating.
-- Reads: lake_charges_daily. day: of period_start in the account's time zone, within the month. charges: how many it is the sum of.
-- Read by: people (edgetoll sql), sql/macros/what_if.sql.
CREATE VIEW charges_daily AS
SELECT
    day,
    account_id,
    item,
    region,
    month,
    rate_card,
    currency,
    is_correction,
    coalesce(CAST(TRY_CAST(quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(quantity AS BIGINT)) AS quantity,
    coalesce(CAST(TRY_CAST(free_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(free_quantity AS BIGINT)) AS free_quantity,
    coalesce(CAST(TRY_CAST(plan_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(plan_quantity AS BIGINT)) AS plan_quantity,
    coalesce(CAST(TRY_CAST(billable_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(billable_quantity AS BIGINT)) AS billable_quantity,
    CAST(amount * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    charges,
    period_end
FROM lake_charges_daily
