-- What was earned, by what was sold?
-- Grain: one row per month × item × currency.
-- Reads: charges.
-- Read by: people (edgetoll query).
-- Chart: stack, month, amount, item
SELECT
    month,
    item,
    currency,
    sum(quantity) AS quantity,
    sum(amount) AS amount,
    count(DISTINCT account_id) AS accounts
FROM charges
GROUP BY month, item, currency
ORDER BY month, currency, amount DESC
