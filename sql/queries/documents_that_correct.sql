-- Which documents take back or correct an invoice?
-- Grain: one row per credit note or line that names it.
-- Reads: invoices, invoice_lines.
-- Parameter invoice (text): the invoice's number
-- Read by: people (edgetoll query).
SELECT
    invoice_no,
    kind,
    month,
    total AS amount,
    currency,
    issued_at,
    reason
FROM invoices
WHERE corrects = $invoice
UNION ALL
SELECT
    l.invoice_no,
    'line ' || l.line_no AS kind,
    i.month,
    l.amount,
    i.currency,
    i.issued_at,
    l.reason
FROM invoice_lines AS l
INNER JOIN invoices AS i ON l.invoice_no = i.invoice_no
WHERE l.corrects_invoice = $invoice
ORDER BY issued_at, invoice_no, kind

-- Sample:
-- edgetoll query documents_that_correct --param invoice=INV-USD-2026-000001
-- | invoice_no | kind | month | amount | currency | issued_at | reason |
-- | --- | --- | --- | ---: | --- | --- | --- |
