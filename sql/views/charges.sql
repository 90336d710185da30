-- What was charged: quantities with what was free and what plans paid, and the amount.
-- Grain: one row per account × item × region × period × revision; a revision is a difference to those before it.
-- Owner: billing/rating.
-- Reads: lake_charges (the journal's own files: money in 10^-10 units; an id is made of the row).
-- A quantity goes by way of 18 digits where it has no more: DuckDB's own cast of 38 takes twelve times as long.
-- Read by: people (edgetoll sql), sql/queries/corrections.sql, sql/queries/charges_of_item.sql,
-- sql/queries/charges_of_run.sql, sql/views/focus_rows.sql, sql/views/transfers.sql.
CREATE VIEW charges AS
SELECT
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    coalesce(CAST(TRY_CAST(quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(quantity AS BIGINT)) AS quantity,
    CAST(amount * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    currency,
    revision,
    reason,
    coalesce(CAST(TRY_CAST(free_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(free_quantity AS BIGINT)) AS free_quantity,
    coalesce(CAST(TRY_CAST(plan_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(plan_quantity AS BIGINT)) AS plan_quantity,
    coalesce(CAST(TRY_CAST(billable_quantity AS DECIMAL(18, 0)) AS BIGINT), CAST(billable_quantity AS BIGINT)) AS billable_quantity,
    rate_card,
    concat(
        'charge:', account_id, ':', item, ':', region, ':', month, ':',
        strftime(period_start, '%Y-%m-%dT%H:%M'), ':', rate_card, ':r', revision
    ) AS charge_id,
    run_id,
    journal_no
FROM lake_charges
