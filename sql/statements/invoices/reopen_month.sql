-- Answers: makes the month of a void invoice open again, so that it can be issued anew.
-- Grain: one row.
-- Reads: issued_months.
DELETE FROM issued_months
WHERE invoice_no = $invoice_no;
