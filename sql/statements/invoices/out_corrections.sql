-- Answers: which charges of earlier months each correction line carries.
-- Grain: one row per charge.
-- Reads: invoice_late, invoice_exact_lines.
CREATE OR REPLACE TEMP TABLE invoice_out_corrections AS
SELECT
    lines.invoice_no,
    lines.line_no,
    late.charge_id
FROM invoice_late AS late
INNER JOIN invoice_exact_lines AS lines
    ON late.account_id = lines.account_id
    AND lines.kind = 'correction'
    AND late.item = lines.item
    AND late.region = lines.region
    AND late.rate_card = lines.rate_card
    AND late.corrects_invoice = lines.corrects_invoice
    AND late.period_start = lines.corrects_hour
    AND late.reason = lines.reason
ORDER BY lines.invoice_no, lines.line_no, late.charge_id;
