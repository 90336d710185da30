-- What was charged by the day, not yet added up: for sums over days and months, which would add up every hour's charge.
-- Grain: one row per account × month × day × item × region × rate card × currency × file it comes from.
-- Owner: billing/rating.
-- Reads: lake_charges_daily.
-- Read by: people (edgetoll sql), sql/queries/month_at_a_glance.sql, sql/queries/charges_as_they_grow.sql,
-- sql/queries/charges_of_month.sql, sql/queries/what_a_price_change_would_do.sql, sql/queries/unbilled.sql,
-- sql/queries/largest_changes.sql, sql/queries/accounts_near_the_next_tier.sql, sql/macros/what_if.sql.
CREATE VIEW charges_daily_parts AS
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
