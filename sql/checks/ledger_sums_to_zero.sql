-- The ledger sums to zero per currency, counted by entries (FAULTS L1), and no entry is out of range (L6).
-- Grain: one row per currency that does not, or per transfer or charge that may not stand.
-- Reads: posted_transfers, filed_charges (a charge is one debit and one credit of its amount by what it is).
-- Read by: billing/checks/invariants.py.
WITH entries AS (
    SELECT currency, debit_account AS ledger_account, -amount AS amount
    FROM posted_transfers
    WHERE journal_no > $after
    UNION ALL
    SELECT currency, credit_account AS ledger_account, amount
    FROM posted_transfers
    WHERE journal_no > $after
),

by_account AS (
    SELECT currency, ledger_account, sum(amount) AS amount
    FROM entries
    GROUP BY currency, ledger_account
)

SELECT currency AS what, CAST(sum(amount) AS VARCHAR) AS problem
FROM by_account
GROUP BY currency
HAVING sum(amount) <> 0
UNION ALL
SELECT transfer_id AS what, 'amount ' || CAST(amount AS VARCHAR) AS problem
FROM posted_transfers
WHERE
    journal_no > $after
    AND (
        amount <= 0
        OR amount >= 79228162514264337593543950336
        OR debit_account = credit_account
    )
UNION ALL
SELECT account_id || ' ' || item AS what, 'amount ' || CAST(amount AS VARCHAR) AS problem
FROM filed_charges
WHERE journal_no > $after AND abs(amount) >= CAST(79228162514264337593543950336 AS DECIMAL(38, 0));
