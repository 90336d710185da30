-- Answers: the transfer of each charge: the customer's funds to revenue; back, for a negative difference.
-- Grain: one row per charge whose amount is not zero.
-- Reads: new_charges.
CREATE OR REPLACE TEMP TABLE new_transfers AS
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
    month AS reference
FROM new_charges
WHERE amount <> 0;
