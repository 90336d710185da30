-- Answers: by how much the charges of one record move each customer's balance.
-- Grain: one row per account and currency that moves.
-- Reads: effect_charges.
CREATE OR REPLACE TEMP TABLE moved_balances AS
SELECT
    account_id,
    currency,
    CAST(0 AS HUGEINT) AS cash,
    CAST(0 AS HUGEINT) AS vouchers,
    CAST(sum(amount) AS HUGEINT) AS charged,
    CAST(max(abs(amount)) AS HUGEINT) AS greatest
FROM effect_charges
GROUP BY account_id, currency;
