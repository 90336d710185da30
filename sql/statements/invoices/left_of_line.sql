-- Answers: what is left of one invoice line after the credit notes on it, in 10^-10 units; null without such a line.
-- Grain: one row.
-- Reads: invoice_lines, invoices.
SELECT CAST(sum(lines.settled_amount) AS HUGEINT) AS net_left
FROM invoice_lines AS lines
INNER JOIN invoices USING (invoice_no)
WHERE lines.line_no = $line_no
    AND (invoices.invoice_no = $invoice_no OR (invoices.kind = 'credit_note' AND invoices.corrects = $invoice_no));
