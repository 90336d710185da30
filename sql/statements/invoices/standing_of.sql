-- Answers: where one document stands, what was credited on it already, and what it is about.
-- Grain: one row, none if there is no such document.
-- Reads: invoices, invoice_events.
WITH noted AS (
    SELECT max_by(status, journal_no) AS status
    FROM invoice_events
    WHERE invoice_no = $invoice_no
),

credited AS (
    SELECT
        CAST(coalesce(sum(total), 0) AS HUGEINT) AS total,
        coalesce(string_agg(invoice_no, ', ' ORDER BY invoice_no), '') AS numbers
    FROM invoices
    WHERE kind = 'credit_note' AND corrects = $invoice_no
)

SELECT
    invoices.kind,
    coalesce(noted.status, 'issued') AS status,
    invoices.account_id,
    invoices.month,
    invoices.currency,
    invoices.digits,
    invoices.total,
    invoices.tax_rate_bp,
    credited.total AS credited,
    credited.numbers
FROM invoices
CROSS JOIN noted
CROSS JOIN credited
WHERE invoices.invoice_no = $invoice_no;
