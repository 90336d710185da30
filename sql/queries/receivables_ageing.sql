-- How much is owed to us, and for how long?
-- Grain: one row per age of debt × currency.
-- Reads: invoice_balances.
-- Chart: bar, ageing, open_amount, currency
-- Read by: people (edgetoll query).
SELECT
    ageing,
    currency,
    count(*) AS invoices,
    count(DISTINCT account_id) AS accounts,
    CAST(sum(open_amount) AS DECIMAL(38, 10)) AS open_amount
FROM invoice_balances
WHERE open_amount > 0
GROUP BY ageing, currency
ORDER BY min(days_overdue), currency

-- Sample:
-- edgetoll query receivables_ageing
-- | ageing | currency | invoices | accounts | open_amount |
-- | --- | --- | ---: | ---: | ---: |
-- | 1-30 days | USD | 1 | 1 | 0.7400000000 |
