-- Answers: every movement of money, with exact decimals.
-- Grain: one row per transfer of the journal records in ($after, $through].
-- Reads: transfers.
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
FROM transfers
WHERE journal_no > $after AND journal_no <= $through;
