-- Every movement of money but the charges, with exact decimals (a charge is its own transfer).
-- Grain: one row per transfer of the journal records in the session's lake_range.
-- Reads: posted_transfers.
-- Read by: sql/views/transfers.sql, sql/views/payments.sql.
SELECT
    transfer_id,
    debit_account,
    credit_account,
    CAST(CAST(amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS amount,
    currency,
    code,
    account_id,
    effective_at,
    recorded_at,
    journal_no,
    reference
FROM posted_transfers
WHERE
    journal_no > getvariable('lake_range').after
    AND journal_no <= getvariable('lake_range').through;
