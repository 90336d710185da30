-- Answers: what moved on one account in [$start_at, $end_at): charges by day and item, the rest one by one.
-- Grain: one row per day and item of charges, one per other transfer; what the customer pays is negative.
-- Reads: transfers.
WITH sides AS (
    SELECT
        CAST(effective_at AS DATE) AS day,
        effective_at,
        journal_no,
        transfer_id,
        code,
        CASE
            WHEN split_part(debit_account, ':', 1) = 'revenue' THEN split_part(debit_account, ':', 2)
            WHEN split_part(credit_account, ':', 1) = 'revenue' THEN split_part(credit_account, ':', 2)
        END AS item,
        CASE
            WHEN credit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
                THEN amount
            ELSE 0
        END
        - CASE
            WHEN debit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
                THEN amount
            ELSE 0
        END AS amount
    FROM transfers
    WHERE
        account_id = $account_id
        AND currency = $currency
        AND effective_at >= $start_at::TIMESTAMP
        AND effective_at < $end_at::TIMESTAMP
),

rows_shown AS (
    SELECT
        day,
        CASE WHEN item IS NOT NULL AND code <> 'credit_note' THEN 'charge ' || item ELSE code END AS what,
        CASE WHEN item IS NOT NULL AND code <> 'credit_note' THEN '' ELSE transfer_id END AS reference,
        CAST(sum(amount) AS HUGEINT) AS amount,
        min(effective_at) AS first_at,
        min(journal_no) AS first_no
    FROM sides
    GROUP BY day, what, reference
)

SELECT
    day,
    what,
    reference,
    amount
FROM rows_shown
ORDER BY day, first_at, first_no, what, reference;
