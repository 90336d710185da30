-- What does each domain cost its account, to the last unit of the invoice?
-- Grain: one row per invoice × domain; (account): what no domain used.
-- Reads: domain_bills.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month of the documents
-- Parameter account (text): the account, by its id
-- Chart: bar, domain, total
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
