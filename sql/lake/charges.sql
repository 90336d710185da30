-- What was charged, with money as exact decimals.
-- Grain: one row per charge of the journal records in the session's lake_range.
-- Reads: charges.
-- Read by: sql/views/charges.sql, sql/views/transfers.sql.
SELECT
    charge_id,
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    CAST(quantity AS BIGINT) AS quantity,
    CAST(free_quantity AS BIGINT) AS free_quantity,
    CAST(plan_quantity AS BIGINT) AS plan_quantity,
    CAST(billable_quantity AS BIGINT) AS billable_quantity,
    CAST(CAST(amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS amount,
    currency,
    rate_card,
    revision,
    reason,
    run_id,
    journal_no
FROM charges
WHERE journal_no > getvariable('lake_range').after AND journal_no <= getvariable('lake_range').through;
