-- Answers: the transfers of one journal record's documents, typed for the ledger.
-- Grain: one row per transfer.
-- Reads: effect_invoice_transfers.
CREATE OR REPLACE TEMP TABLE new_transfers AS
SELECT
    transfer_id,
    debit_account,
    credit_account,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    effective_at,
    reference
FROM effect_invoice_transfers;
