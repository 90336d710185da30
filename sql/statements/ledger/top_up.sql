-- What a payment must know before it is posted. Run by billing/ledger/top_up.py and whoever shows
-- one account's balance.

-- name: balance_of_account
-- At most one row: the currency, balance and credit limit of one account.
SELECT
    a.account_id,
    a.currency,
    coalesce(b.cash, 0) AS cash,
    coalesce(b.vouchers, 0) AS vouchers,
    coalesce(b.charged, 0) AS charged,
    a.credit_limit
FROM accounts AS a
LEFT JOIN balances AS b ON a.account_id = b.account_id AND a.currency = b.currency
WHERE a.account_id = $account_id;

-- name: transfer_by_id
-- At most one row: the transfer posted under an id. Charges are searched for an id in their form alone.
SELECT
    debit_account,
    credit_account,
    amount,
    currency,
    code,
    account_id,
    journal_no
FROM posted_transfers
WHERE transfer_id = $transfer_id
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

-- name: paid_in
-- One row: the cash an account paid in and no chargeback took back, and how much was refunded.
SELECT
    CAST(coalesce(sum(CASE code WHEN 'cash' THEN amount ELSE -amount END)
        FILTER (code IN ('cash', 'chargeback')), 0) AS HUGEINT) AS paid,
    CAST(coalesce(sum(amount) FILTER (code = 'refund'), 0) AS HUGEINT) AS refunded
FROM posted_transfers
WHERE account_id = $account_id AND code IN ('cash', 'chargeback', 'refund');
