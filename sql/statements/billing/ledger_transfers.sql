-- Answers: the latest transfers of one account, newest first, at most $limit.
-- Grain: one row per transfer.
-- Reads: transfers.
SELECT
    effective_at,
    transfer_id,
    code,
    debit_account,
    credit_account,
    amount,
    currency,
    reference,
    journal_no
FROM transfers
WHERE account_id = $account_id
ORDER BY effective_at DESC, journal_no DESC, transfer_id DESC
LIMIT $limit;
