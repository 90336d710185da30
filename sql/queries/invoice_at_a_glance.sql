-- What does an invoice ask for, by when, and what is still open?
-- Grain: one row, none where there is no such document.
-- Reads: invoices, invoice_balances.
-- Parameter invoice (text): the document's number
-- Read by: people (edgetoll query).
SELECT
    i.invoice_no,
    i.account_id,
    i.customer_name,
    i.month,
    i.kind,
    i.status,
    i.subtotal,
    i.cut,
    i.tax,
    i.total,
    b.open_amount,
    b.paid_amount,
    i.currency,
    i.issued_at,
    i.due_on,
    b.days_overdue,
    i.corrects,
    i.reason,
    i.period_start,
    i.period_end,
    i.timezone,
    i.hours,
    i.incomplete_hours,
    i.seller_name,
    i.usage_sha256
FROM invoices AS i
LEFT JOIN invoice_balances AS b ON i.invoice_no = b.invoice_no
WHERE i.invoice_no = $invoice

-- Sample:
-- edgetoll query invoice_at_a_glance --param invoice=INV-USD-2026-000001
-- | invoice_no | account_id | customer_name | month | kind | status | subtotal | cut | tax | total | open_amount | paid_amount | currency | issued_at | due_on | days_overdue | corrects | reason | period_start | period_end | timezone | hours | incomplete_hours | seller_name | usage_sha256 |
-- | --- | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- | --- | ---: | --- | --- | --- | --- | --- | ---: | ---: | --- | --- |
-- | INV-USD-2026-000001 | acme | Acme Video GmbH | 2026-10 | invoice | issued | 1.0458082454 | 0.0058082454 | 0.2000000000 | 1.2400000000 | 0.7400000000 | 0.5000000000 | USD | 2026-11-02 04:00 | 2026-11-16 | 9 |  |  | 2026-10-01 00:00 | 2026-11-01 00:00 | UTC | 640 | 0 | Tests CDN | 6bd0b21b4e28d0f8e2f9f4052023b126c58fca3fb49bc12c8442623b1268e3a9 |
