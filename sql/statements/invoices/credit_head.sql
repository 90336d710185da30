-- Answers: the head of a credit note on one invoice.
-- Grain: one row.
-- Reads: invoices, invoice_out_lines. A full one mirrors the invoice's sums, a partial one has no cut.
CREATE OR REPLACE TEMP TABLE invoice_heads AS
WITH sums AS (
    SELECT
        CAST(sum(amount) AS HUGEINT) AS subtotal,
        CAST(sum(settled_amount) AS HUGEINT) AS net,
        CAST(sum(tax) AS HUGEINT) AS tax
    FROM invoice_out_lines
)

SELECT
    $number_text::VARCHAR AS invoice_no,
    $series::VARCHAR AS series,
    $number::BIGINT AS number,
    'credit_note' AS kind,
    invoices.account_id,
    invoices.month,
    invoices.currency,
    invoices.digits,
    $issued_at::TIMESTAMP AS issued_at,
    $issued_on::DATE AS due_on,
    invoices.period_start,
    invoices.period_end,
    invoices.timezone,
    $seller::VARCHAR AS seller,
    invoices.customer_name,
    invoices.customer_address,
    invoices.customer_country,
    invoices.customer_tax_id,
    invoices.customer_email,
    sums.subtotal,
    CAST(sums.subtotal - sums.net AS HUGEINT) AS cut,
    sums.tax,
    CAST(sums.net + sums.tax AS HUGEINT) AS total,
    invoices.tax_rate_bp,
    0::BIGINT AS hours,
    0::BIGINT AS incomplete_hours,
    0::BIGINT AS certificates,
    '' AS usage_sha256,
    invoices.invoice_no AS corrects,
    $reason::VARCHAR AS reason,
    $run_id::VARCHAR AS run_id
FROM invoices
CROSS JOIN sums
WHERE invoices.invoice_no = $invoice_no;
