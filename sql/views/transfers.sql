-- Every movement of money: a positive amount from the account debited to the one credited.
-- One row per transfer.
-- Reads lake_transfers.
CREATE VIEW transfers AS
SELECT
    transfer_id,
    debit_account,
    credit_account,
    amount,
    currency,
    code,
    account_id,
    effective_at,
    recorded_at,
    journal_no,
    reference
FROM lake_transfers
