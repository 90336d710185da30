-- Answers: the heads of the chosen documents.
-- Grain: one row per document, in the order of its number.
-- Reads: $heads (invoices or a draft of them), invoice_chosen.
SELECT
    heads.invoice_no,
    heads.kind,
    heads.account_id,
    heads.month,
    heads.currency,
    heads.digits,
    heads.issued_at,
    heads.due_on,
    heads.period_start,
    heads.period_end,
    heads.timezone,
    heads.seller,
    heads.customer_name,
    heads.customer_address,
    heads.customer_country,
    heads.customer_tax_id,
    heads.customer_email,
    heads.subtotal,
    heads.cut,
    heads.tax,
    heads.total,
    heads.tax_rate_bp,
    heads.hours,
    heads.incomplete_hours,
    heads.certificates,
    heads.usage_sha256,
    heads.corrects,
    heads.reason,
    heads.content_sha256
FROM query_table($heads) AS heads
INNER JOIN invoice_chosen ON heads.invoice_no = invoice_chosen.invoice_no
WHERE invoice_chosen.chunk = $chunk
ORDER BY heads.invoice_no;
