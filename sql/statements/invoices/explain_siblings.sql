-- Answers: the lines of an invoice on which the charges behind one line stand.
-- Grain: one row per line, in order; of a correction the line itself.
-- Reads: invoice_lines.
SELECT
    l.line_no,
    l.tier,
    l.billable_quantity,
    l.amount
FROM invoice_lines AS l
INNER JOIN invoice_lines AS own
    ON l.invoice_no = own.invoice_no
    AND l.kind = own.kind
    AND l.item = own.item
    AND l.region = own.region
    AND l.rate_card = own.rate_card
WHERE
    own.invoice_no = $invoice_no
    AND own.line_no = $line_no
    AND (l.line_no = own.line_no OR own.kind = 'usage')
ORDER BY l.line_no;
