-- Answers: one document by its number, for reading it.
-- Grain: one row, none if there is no such document.
-- Reads: invoices.
CREATE OR REPLACE TEMP TABLE invoice_chosen AS
SELECT
    invoice_no,
    0 AS chunk
FROM invoices
WHERE invoice_no = $invoice_no;
