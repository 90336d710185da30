-- Answers: the net of one credit note, in 10^-10 units, and the invoice line it is about.
-- Grain: one row.
-- Reads: invoice_lines.
SELECT
    CAST(coalesce(sum(settled_amount), 0) AS HUGEINT) AS net,
    min(line_no) AS line_no
FROM invoice_lines
WHERE invoice_no = $invoice_no;
