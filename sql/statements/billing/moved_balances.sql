-- Answers: by how much the transfers of one record move each customer's balance.
-- Grain: one row per account and currency that moves.
-- Reads: new_transfers.
CREATE OR REPLACE TEMP TABLE moved_balances AS
WITH sides AS (
    SELECT
        account_id,
        currency,
        CAST(amount AS HUGEINT) AS amount,
        'customer:' || account_id || ':funds' AS funds,
        'customer:' || account_id || ':voucher' AS voucher,
        debit_account,
        credit_account,
        CASE
            WHEN debit_account = 'customer:' || account_id || ':funds' THEN credit_account
            ELSE debit_account
        END AS counter_account
    FROM new_transfers
),

changes AS (
    SELECT
        account_id,
        currency,
        CASE
            WHEN credit_account = funds THEN amount
            WHEN debit_account = funds THEN -amount
            ELSE 0
        END AS funds_change,
        CASE
            WHEN credit_account = voucher THEN amount
            WHEN debit_account = voucher THEN -amount
            ELSE 0
        END AS voucher_change,
        split_part(counter_account, ':', 1) IN ('revenue', 'tax', 'cut') AS is_charge
    FROM sides
)

SELECT
    account_id,
    currency,
    CAST(coalesce(sum(funds_change) FILTER (NOT is_charge), 0) AS HUGEINT) AS cash,
    CAST(sum(voucher_change) AS HUGEINT) AS vouchers,
    CAST(coalesce(-sum(funds_change) FILTER (is_charge), 0) AS HUGEINT) AS charged
FROM changes
GROUP BY account_id, currency;
