-- Answers: the transfer posted under an id.
-- Grain: at most one row.
-- Reads: transfers.
SELECT
    debit_account,
    credit_account,
    amount,
    currency,
    code,
    account_id,
    journal_no
FROM transfers
WHERE transfer_id = $transfer_id;
