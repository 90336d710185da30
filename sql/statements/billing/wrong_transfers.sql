-- Answers: which new transfers may not be posted, and why (FAULTS G23, G26, L6); none in a sound run.
-- Grain: one row per wrong transfer, the first ten.
-- Reads: new_transfers, accounts.
SELECT
    n.transfer_id,
    CASE
        WHEN n.amount <= 0 THEN 'its amount is not positive'
        WHEN n.amount >= 79228162514264337593543950336 THEN 'its amount is beyond 2^96'
        WHEN n.debit_account = n.credit_account THEN 'it debits and credits the same account'
        WHEN a.account_id IS NULL THEN 'its account is not known'
        ELSE 'its currency is not that of its account'
    END AS problem
FROM new_transfers AS n
LEFT JOIN accounts AS a ON n.account_id = a.account_id
WHERE
    n.amount <= 0
    OR n.amount >= 79228162514264337593543950336
    OR n.debit_account = n.credit_account
    OR a.account_id IS NULL
    OR a.currency <> n.currency
LIMIT 10;
