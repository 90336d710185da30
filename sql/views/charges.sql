-- What was charged: quantities with what was free and what plans paid, and the amount.
-- Grain: one row per account × item × region × period × revision; a revision is a difference to those before it.
-- Owner: billing/rating.
-- Reads: lake_charges.
-- Read by: people (edgetoll sql), sql/macros/what_if.sql, sql/queries/corrections.sql,
-- sql/queries/revenue_by_item.sql, sql/queries/top_accounts_by_spend.sql, sql/views/focus_rows.sql.
CREATE VIEW charges AS
SELECT
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    quantity,
    amount,
    currency,
    revision,
    reason,
    free_quantity,
    plan_quantity,
    billable_quantity,
    rate_card,
    charge_id,
    run_id,
    journal_no
FROM lake_charges
