-- What was paid in, and what went back?
-- Grain: one row per month (UTC) × kind × currency.
-- Reads: payments.
-- Read by: people (edgetoll query).
-- Chart: stack, month, amount, kind
SELECT
    strftime(paid_at, '%Y-%m') AS month,
    kind,
    count(*) AS payments,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    currency
FROM payments
GROUP BY month, kind, currency
ORDER BY month, kind, currency
