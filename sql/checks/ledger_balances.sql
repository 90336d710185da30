-- Every kept balance equals the sum of its account's transfers and charges (FAULTS L2).
-- Grain: one row per account and currency that differs.
-- Reads: posted_transfers, filed_charges, balances.
-- Read by: billing/checks/invariants.py.
WITH sides AS (
    SELECT
        account_id,
        currency,
        credit_account AS side,
        debit_account AS counter_account,
        amount
    FROM posted_transfers
    UNION ALL
    SELECT
        account_id,
        currency,
        debit_account AS side,
        credit_account AS counter_account,
        -amount AS amount
    FROM posted_transfers
),

summed AS (
    SELECT
        account_id,
        currency,
        split_part(counter_account, ':', 1) IN ('revenue', 'tax', 'cut') AS is_charge,
        side = 'customer:' || account_id || ':voucher' AS is_voucher,
        sum(amount) AS amount
    FROM sides
    WHERE side LIKE 'customer:%'
    GROUP BY ALL
    UNION ALL
    SELECT
        account_id,
        currency,
        true AS is_charge,
        false AS is_voucher,
        CAST(-sum(amount) AS HUGEINT) AS amount
    FROM filed_charges
    GROUP BY account_id, currency
),

wanted AS (
    SELECT
        account_id,
        currency,
        coalesce(sum(amount) FILTER (NOT is_charge AND NOT is_voucher), 0) AS cash,
        coalesce(sum(amount) FILTER (is_voucher), 0) AS vouchers,
        coalesce(-sum(amount) FILTER (is_charge AND NOT is_voucher), 0) AS charged
    FROM summed
    GROUP BY account_id, currency
)

SELECT
    coalesce(w.account_id, b.account_id) AS account_id,
    coalesce(w.currency, b.currency) AS currency,
    w.cash AS cash_of_entries,
    b.cash,
    w.vouchers AS vouchers_of_entries,
    b.vouchers,
    w.charged AS charged_of_entries,
    b.charged
FROM wanted AS w
FULL JOIN balances AS b ON w.account_id = b.account_id AND w.currency = b.currency
WHERE
    coalesce(w.cash, 0) IS DISTINCT FROM b.cash
    OR coalesce(w.vouchers, 0) IS DISTINCT FROM b.vouchers
    OR coalesce(w.charged, 0) IS DISTINCT FROM b.charged;
