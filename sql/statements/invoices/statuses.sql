-- Answers: where the documents of a month stand now.
-- Grain: one row per document.
-- Reads: invoices, invoice_events.
WITH noted AS (
    SELECT
        invoice_no,
        max_by(status, journal_no) AS status
    FROM invoice_events
    GROUP BY invoice_no
)

SELECT
    invoices.invoice_no,
    coalesce(noted.status, 'issued') AS status
FROM invoices
LEFT JOIN noted ON invoices.invoice_no = noted.invoice_no
WHERE invoices.month = $month;
