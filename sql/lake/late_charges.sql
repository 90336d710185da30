-- What was charged for a month after an invoice of it was issued: the next invoice carries it.
-- Grain: one row per charge, of the journal records in the session's lake_range.
-- Reads: late_charges.
-- Read by: sql/views/late_charges.sql.
SELECT
    charge_id,
    account_id,
    month,
    item,
    region,
    period_start,
    period_end,
    CAST(quantity AS BIGINT) AS quantity,
    CAST(CAST(amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    rate_card,
    reason,
    journal_no
FROM late_charges
WHERE journal_no > getvariable('lake_range').after AND journal_no <= getvariable('lake_range').through
ORDER BY account_id, journal_no;
