-- Answers: the lines of the chosen documents.
-- Grain: one row per document × line, in the order of both.
-- Reads: $lines (invoice_lines or a draft of them), invoice_chosen.
SELECT
    lines.invoice_no,
    lines.line_no,
    lines.kind,
    lines.item,
    lines.region,
    lines.domain,
    lines.quantity,
    lines.free_quantity,
    lines.plan_quantity,
    lines.billable_quantity,
    lines.unit,
    lines.unit_quantity,
    lines.unit_price,
    lines.amount,
    lines.settled_amount,
    lines.leftover,
    lines.tax_rate_bp,
    lines.tax,
    lines.rate_card,
    lines.tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.reason
FROM query_table($lines) AS lines
INNER JOIN invoice_chosen ON lines.invoice_no = invoice_chosen.invoice_no
WHERE invoice_chosen.chunk = $chunk
ORDER BY lines.invoice_no, lines.line_no;
