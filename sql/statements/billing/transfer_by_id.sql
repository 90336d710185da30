-- Answers: the transfer posted under an id.
-- Grain: at most one row.
-- Reads: posted_ids, and of transfers what that record posted; a charge's own id is searched in all of them.
SELECT
    t.debit_account,
    t.credit_account,
    t.amount,
    t.currency,
    t.code,
    t.account_id,
    t.journal_no
FROM transfers AS t
INNER JOIN posted_ids AS p ON t.journal_no = p.journal_no AND t.transfer_id = p.transfer_id
WHERE p.transfer_id = $transfer_id
UNION ALL
SELECT
    debit_account,
    credit_account,
    amount,
    currency,
    code,
    account_id,
    journal_no
FROM transfers
WHERE $transfer_id LIKE 'charge:%' AND transfer_id = $transfer_id AND code IN ('charge', 'correction');
