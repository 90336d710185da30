-- Payments in bulk. Run by billing/ledger/payments_file.py, and by billing/ledger/transfers.py when the record of a file
-- is applied; amounts are whole numbers of 10^-10 currency units.

-- name: known
-- One row per row of the file, in its order: the account's currency, and what was posted under the row's id.
SELECT
    a.currency AS account_currency,
    p.debit_account,
    p.credit_account,
    p.amount,
    p.currency,
    p.code,
    p.account_id,
    p.journal_no
FROM given_payments AS g
LEFT JOIN accounts AS a ON g.account_id = a.account_id
LEFT JOIN posted_transfers AS p ON g.id = p.transfer_id
ORDER BY g.row_no;

-- name: file_transfers
-- One row per payment of the record.
CREATE OR REPLACE TEMP TABLE new_transfers AS
SELECT
    transfer_id,
    debit_account,
    credit_account,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    CAST(effective_at AS TIMESTAMP) AS effective_at,
    reference
FROM effect_payments;
