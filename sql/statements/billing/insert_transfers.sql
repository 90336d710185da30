-- Answers: posts the transfers of one journal record.
-- Grain: one row per transfer.
-- Reads: new_transfers.
INSERT INTO transfers
SELECT
    transfer_id,
    debit_account,
    credit_account,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    effective_at,
    CAST($recorded_at AS TIMESTAMP) AS recorded_at,
    CAST($journal_no AS BIGINT) AS journal_no,
    reference
FROM new_transfers;
