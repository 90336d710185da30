-- Answers: the finished lines, as the journal keeps them.
-- Grain: one row per invoice × line.
-- Reads: invoice_exact_lines, invoice_settled_lines, invoice_totals.
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    lines.invoice_no,
    lines.line_no,
    lines.kind,
    lines.item,
    lines.region,
    NULL::VARCHAR AS domain,
    lines.quantity,
    lines.free_quantity,
    lines.plan_quantity,
    lines.billable_quantity,
    lines.unit,
    lines.unit_quantity,
    lines.unit_price,
    lines.amount,
    settled.settled_amount,
    settled.leftover,
    CAST(totals.tax_rate_bp AS INTEGER) AS tax_rate_bp,
    settled.tax,
    lines.rate_card,
    lines.tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.reason
FROM invoice_exact_lines AS lines
INNER JOIN invoice_settled_lines AS settled USING (invoice_no, line_no)
INNER JOIN invoice_totals AS totals USING (invoice_no)
ORDER BY lines.invoice_no, lines.line_no;
