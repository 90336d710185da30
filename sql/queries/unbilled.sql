-- What is charged but not yet on an issued invoice? Open months, and late usage that the next invoice corrects.
-- Grain: one row per account × month of the invoice it will be on × currency.
-- Reads: charges_daily_parts, late_charges, invoices, accounts. What is sold beside usage, and promotional credit, is left out.
-- Chart: bar, account_id, amount, month
-- Read by: people (edgetoll query).
WITH standing AS (
    -- A void invoice and the credit notes that took it back are nothing together.
    SELECT i.*
    FROM invoices AS i
    LEFT JOIN invoices AS c ON i.corrects = c.invoice_no
    WHERE i.status <> 'void' AND NOT (i.kind = 'credit_note' AND c.status IS NOT DISTINCT FROM 'void')
),

billed AS (
    SELECT account_id, month, journal_no
    FROM standing
    WHERE kind = 'invoice' OR corrects IS NULL
),

next_months AS (
    SELECT
        account_id,
        strftime(CAST(max(month) || '-01' AS DATE) + INTERVAL 1 MONTH, '%Y-%m') AS month
    FROM standing
    GROUP BY account_id
),

late AS (
    SELECT * FROM late_charges WHERE NOT contains(rate_card, '/')
),

charged AS (
    SELECT account_id, month, currency, sum(amount) AS amount, sum(charges) AS charges
    FROM charges_daily_parts
    WHERE NOT contains(rate_card, '/')
    GROUP BY account_id, month, currency
),

-- Of a month that was invoiced, voided and not invoiced again, what a later invoice had corrected stays there.
carried AS (
    SELECT account_id, month, sum(amount) AS amount, count(*) AS charges
    FROM late
    WHERE invoice_no IS NOT NULL
    GROUP BY account_id, month
),

waiting AS (
    SELECT m.account_id, m.month, m.currency, m.amount - coalesce(c.amount, 0) AS amount, 0 AS corrected
    FROM charged AS m
    ANTI JOIN billed AS b ON m.account_id = b.account_id AND m.month = b.month
    LEFT JOIN carried AS c ON m.account_id = c.account_id AND m.month = c.month
    WHERE m.charges > coalesce(c.charges, 0)
    UNION ALL
    SELECT l.account_id, n.month, a.currency, l.amount, l.amount AS corrected
    FROM late AS l
    INNER JOIN billed AS b ON l.account_id = b.account_id AND l.month = b.month AND l.journal_no > b.journal_no
    INNER JOIN next_months AS n ON l.account_id = n.account_id
    INNER JOIN accounts AS a ON l.account_id = a.account_id
    WHERE l.invoice_no IS NULL
)

SELECT
    account_id,
    month,
    currency,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    CAST(sum(corrected) AS DECIMAL(38, 10)) AS of_it_corrections
FROM waiting
GROUP BY account_id, month, currency
ORDER BY amount DESC

-- Sample:
-- edgetoll query unbilled
-- | account_id | month | currency | amount | of_it_corrections |
-- | --- | --- | --- | ---: | ---: |
-- | acme | 2026-11 | USD | 1.2098244303 | 0.0600320000 |
-- | beta | 2026-11 | USD | 0.2314730666 | 0.0000000000 |
