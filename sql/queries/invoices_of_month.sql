-- Which invoices and credit notes are there, and what of them is still open?
-- Grain: one row per document.
-- Reads: invoices, invoice_balances.
-- Parameter month (text, all): the month of the documents, or all of them
-- Parameter account (text, all): one account, or all of them
-- Parameter open (text, all): yes: only those with something open
-- Read by: people (edgetoll query).
SELECT
    i.invoice_no,
    i.account_id,
    i.customer_name,
    i.month,
    i.kind,
    i.status,
    i.total,
    b.open_amount,
    i.currency,
    i.issued_at,
    i.due_on,
    b.days_overdue,
    i.corrects
FROM invoices AS i
LEFT JOIN invoice_balances AS b ON i.invoice_no = b.invoice_no
WHERE
    $month IN ('all', i.month)
    AND $account IN ('all', i.account_id)
    AND ($open = 'all' OR b.open_amount > 0)
ORDER BY i.month DESC, b.open_amount > 0 DESC NULLS LAST, i.invoice_no

-- Sample:
-- edgetoll query invoices_of_month --param month=2026-11 --param account=acme
-- | invoice_no | account_id | customer_name | month | kind | status | total | open_amount | currency | issued_at | due_on | days_overdue | corrects |
-- | --- | --- | --- | --- | --- | --- | ---: | ---: | --- | --- | --- | ---: | --- |
