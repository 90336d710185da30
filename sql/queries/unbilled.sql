-- What is charged but not yet on an issued invoice? Open months, and late usage that the next invoice corrects.
-- Grain: one row per account × month of the invoice it will be on × currency.
-- Reads: focus_rows.
-- Read by: people (edgetoll query).
-- Chart: bar, account_id, amount, month
SELECT
    account_id,
    billing_month AS month,
    currency,
    sum(cost) AS amount,
    coalesce(sum(cost) FILTER (WHERE is_correction), 0) AS of_it_corrections
FROM focus_rows
WHERE invoice_no IS NULL AND charge_category = 'Usage'
GROUP BY account_id, billing_month, currency
ORDER BY amount DESC
