-- Answers: the lines of a credit note that takes back a whole invoice.
-- Grain: one row per line.
-- Reads: invoice_lines.
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    $number_text::VARCHAR AS invoice_no,
    line_no,
    'credit' AS kind,
    item,
    region,
    domain,
    -quantity AS quantity,
    -free_quantity AS free_quantity,
    -plan_quantity AS plan_quantity,
    -billable_quantity AS billable_quantity,
    unit,
    unit_quantity,
    unit_price,
    -amount AS amount,
    -settled_amount AS settled_amount,
    -leftover AS leftover,
    tax_rate_bp,
    -tax AS tax,
    rate_card,
    tier,
    corrects_invoice,
    corrects_hour,
    reason
FROM invoice_lines
WHERE invoice_no = $invoice_no
ORDER BY line_no;
