-- Answers: the line of a credit note that gives back part of one invoice line, under its number; tax rounded half up.
-- Grain: one row.
-- Reads: invoice_lines. $amount is the net given back, positive, in whole minor units ($step).
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    $number_text::VARCHAR AS invoice_no,
    line_no,
    'credit' AS kind,
    item,
    region,
    domain,
    0::HUGEINT AS quantity,
    0::HUGEINT AS free_quantity,
    0::HUGEINT AS plan_quantity,
    0::HUGEINT AS billable_quantity,
    unit,
    0::BIGINT AS unit_quantity,
    0::HUGEINT AS unit_price,
    -$amount::HUGEINT AS amount,
    -$amount::HUGEINT AS settled_amount,
    0::HUGEINT AS leftover,
    tax_rate_bp,
    -(($amount::HUGEINT * tax_rate_bp * 2 + 10000 * $step::HUGEINT) // (20000 * $step::HUGEINT) * $step::HUGEINT) AS tax,
    rate_card,
    '' AS tier,
    invoice_no AS corrects_invoice,
    NULL::TIMESTAMP AS corrects_hour,
    $reason::VARCHAR AS reason
FROM invoice_lines
WHERE invoice_no = $invoice_no AND line_no = $line_no;
