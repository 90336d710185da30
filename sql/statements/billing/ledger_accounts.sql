-- Answers: debits, credits and balance of every ledger account, or of one customer's.
-- Grain: one row per ledger account and currency.
-- Reads: transfers.
WITH entries AS (
    SELECT debit_account AS ledger_account, account_id, currency, amount AS debit, 0 AS credit
    FROM transfers
    UNION ALL
    SELECT credit_account AS ledger_account, account_id, currency, 0 AS debit, amount AS credit
    FROM transfers
)

SELECT
    ledger_account,
    currency,
    CAST(sum(debit) AS HUGEINT) AS debits,
    CAST(sum(credit) AS HUGEINT) AS credits,
    count(*) AS entries
FROM entries
WHERE $account_id IS NULL OR account_id = $account_id
GROUP BY ledger_account, currency
ORDER BY ledger_account, currency;
