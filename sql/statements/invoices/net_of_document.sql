-- Answers: the net of one document, in 10^-10 units.
-- Grain: one row.
-- Reads: invoice_lines.
SELECT CAST(coalesce(sum(settled_amount), 0) AS HUGEINT) AS net
FROM invoice_lines
WHERE invoice_no = $invoice_no;
