-- Answers: posts the transfer of each charge: the customer's funds to revenue; back, if it is negative.
-- Grain: one row per charge of the record whose amount is not zero.
-- Reads: charges.
INSERT INTO transfers BY NAME
SELECT
    charge_id AS transfer_id,
    CASE WHEN amount > 0 THEN 'customer:' || account_id || ':funds' ELSE 'revenue:' || item END
        AS debit_account,
    CASE WHEN amount > 0 THEN 'revenue:' || item ELSE 'customer:' || account_id || ':funds' END
        AS credit_account,
    abs(amount) AS amount,
    currency,
    CASE WHEN revision = 0 THEN 'charge' ELSE 'correction' END AS code,
    account_id,
    period_end AS effective_at,
    CAST($recorded_at AS TIMESTAMP) AS recorded_at,
    journal_no,
    month AS reference
FROM charges
WHERE journal_no = $journal_no AND amount <> 0;
