-- What tax was billed, by the customer's country and rate?
-- Grain: one row per country × rate × currency; credit notes count below zero.
-- Reads: invoices, accounts.
-- Parameter month (month): the month of the documents
-- Read by: people (edgetoll query).
SELECT
    coalesce(nullif(a.country, ''), '(none)') AS country,
    i.tax_rate_bp,
    count(*) AS documents,
    CAST(sum(i.subtotal - i.cut) AS DECIMAL(38, 10)) AS net,
    CAST(sum(i.tax) AS DECIMAL(38, 10)) AS tax,
    i.currency
FROM invoices AS i
INNER JOIN accounts AS a ON i.account_id = a.account_id
WHERE i.month = $month AND i.status <> 'void'
GROUP BY country, i.tax_rate_bp, i.currency
ORDER BY country, i.tax_rate_bp, i.currency

-- Sample:
-- edgetoll query tax_by_country --param month=2026-10
-- | country | tax_rate_bp | documents | net | tax | currency |
-- | --- | ---: | ---: | ---: | ---: | --- |
-- | (none) | 0.00 | 1 | 0.0300000000 | 0.0000000000 | USD |
-- | DE | 1900.00 | 1 | 1.0400000000 | 0.2000000000 | USD |
