-- What does each domain cost its account, to the last unit of the invoice?
-- Grain: one row per invoice × domain; (account): what no domain used.
-- Reads: domain_bills.
-- Parameter month (month): the month of the documents
-- Parameter account (text): the account, by its id
-- Chart: bar, domain, total
-- Read by: people (edgetoll query).
SELECT
    invoice_no,
    coalesce(domain, '(account)') AS domain,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    CAST(sum(tax) AS DECIMAL(38, 10)) AS tax,
    CAST(sum(amount) + sum(tax) AS DECIMAL(38, 10)) AS total,
    currency
FROM domain_bills
WHERE month = $month AND account_id = $account AND status <> 'void'
GROUP BY ALL
ORDER BY invoice_no, total DESC, domain

-- Sample:
-- edgetoll query bill_by_domain --param month=2026-10 --param account=acme
-- | invoice_no | domain | amount | tax | total | currency |
-- | --- | --- | ---: | ---: | ---: | --- |
-- | INV-USD-2026-000001 | cdn.acme.example | 0.5291819653 | 0.1011235641 | 0.6303055294 | USD |
-- | INV-USD-2026-000001 | www.acme.example | 0.5108180347 | 0.0988764359 | 0.6096944706 | USD |
