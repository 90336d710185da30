-- The ledger as entries: each transfer is one debit and one credit; credits are positive, debits negative.
-- Grain: one row per transfer and side.
-- Owner: billing/ledger.
-- Reads: transfers.
-- Read by: people (edgetoll sql).
CREATE VIEW ledger_entries AS
SELECT
    debit_account AS ledger_account,
    account_id,
    effective_at,
    CAST(-amount AS DECIMAL(38, 10)) AS amount,
    currency,
    code,
    transfer_id,
    journal_no
FROM transfers
UNION ALL
SELECT
    credit_account AS ledger_account,
    account_id,
    effective_at,
    amount,
    currency,
    code,
    transfer_id,
    journal_no
FROM transfers
