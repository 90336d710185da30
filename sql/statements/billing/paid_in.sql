-- Answers: the cash an account paid in and no chargeback took back, and how much of it was refunded.
-- Grain: one row.
-- Reads: transfers.
SELECT
    CAST(coalesce(sum(CASE code WHEN 'cash' THEN amount ELSE -amount END)
        FILTER (code IN ('cash', 'chargeback')), 0) AS HUGEINT) AS paid,
    CAST(coalesce(sum(amount) FILTER (code = 'refund'), 0) AS HUGEINT) AS refunded
FROM transfers
WHERE account_id = $account_id AND code IN ('cash', 'chargeback', 'refund');
