-- What is charged but not yet on an issued invoice? Open months, and late usage that the next invoice corrects.
-- Grain: one row per account × month of the invoice it will be on × currency.
-- Reads: focus_rows.
-- Chart: bar, account_id, amount, month
-- Read by: people (edgetoll query).
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

-- Sample:
-- edgetoll query unbilled
-- | account_id | month | currency | amount | of_it_corrections |
-- | --- | --- | --- | ---: | ---: |
-- | acme | 2026-11 | USD | 1.2098244303 | 0.0600320000 |
-- | beta | 2026-11 | USD | 0.2314730666 | 0.0000000000 |
