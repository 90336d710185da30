-- What was paid in, and what went back?
-- Grain: one row per month (UTC) × kind × currency.
-- Reads: payments.
-- Chart: stack, month, amount, kind
-- Read by: people (edgetoll query).
SELECT
    strftime(paid_at, '%Y-%m') AS month,
    kind,
    count(*) AS payments,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    currency
FROM payments
GROUP BY month, kind, currency
ORDER BY month, kind, currency

-- Sample:
-- edgetoll query payments_by_month
-- | month | kind | payments | amount | currency |
-- | --- | --- | ---: | ---: | --- |
-- | 2026-10 | cash | 1 | 0.5000000000 | USD |
-- | 2026-11 | cash | 1 | 5.0000000000 | USD |
