-- Answers: what the customer had just before $start_at: what came in less what was charged.
-- Grain: one row.
-- Reads: transfers.
SELECT CAST(coalesce(sum(
    CASE
        WHEN credit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
            THEN amount
        ELSE 0
    END
    - CASE
        WHEN debit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
            THEN amount
        ELSE 0
    END
), 0) AS HUGEINT) AS balance
FROM transfers
WHERE account_id = $account_id AND currency = $currency AND effective_at < $start_at::TIMESTAMP;
