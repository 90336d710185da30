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
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    amount,
    charges,
    period_end
FROM lake_charges_daily
