-- Answers: the SHA-256 of each document's content: head, lines and appendix (FAULTS I4, decision 0703).
-- Grain: one row per document.
-- Reads: $heads, $lines, $detail: names of relations in the shape of invoices, invoice_lines, invoice_detail.
CREATE OR REPLACE TEMP TABLE invoice_hashes AS
WITH line_texts AS (
    SELECT
        invoice_no,
        string_agg(
            concat_ws(
                chr(31), line_no, kind, item, region, coalesce(domain, ''), quantity, free_quantity, plan_quantity,
                billable_quantity, unit, unit_quantity, unit_price, amount, settled_amount, leftover, tax_rate_bp,
                tax, rate_card, tier, coalesce(corrects_invoice, ''), coalesce(CAST(corrects_hour AS VARCHAR), ''),
                reason
            ),
            chr(30) ORDER BY line_no
        ) AS content
    FROM query_table($lines)
    GROUP BY invoice_no
),

detail_texts AS (
    SELECT
        invoice_no,
        string_agg(
            concat_ws(chr(31), day, domain, class, region, requests, bytes_sent),
            chr(30) ORDER BY day, domain, class, region
        ) AS content
    FROM query_table($detail)
    GROUP BY invoice_no
)

SELECT
    heads.invoice_no,
    sha256(concat_ws(
        chr(29),
        concat_ws(
            chr(31), heads.invoice_no, heads.series, heads.number, heads.kind, heads.account_id, heads.month,
            heads.currency, heads.digits, heads.issued_at, heads.due_on, heads.period_start, heads.period_end,
            heads.timezone, heads.seller, heads.customer_name, heads.customer_address, heads.customer_country,
            heads.customer_tax_id, heads.customer_email, heads.subtotal, heads.cut, heads.tax, heads.total,
            heads.tax_rate_bp, heads.hours, heads.incomplete_hours, heads.certificates, heads.usage_sha256,
            coalesce(heads.corrects, ''), heads.reason
        ),
        coalesce(line_texts.content, ''),
        coalesce(detail_texts.content, '')
    )) AS content_sha256
FROM query_table($heads) AS heads
LEFT JOIN line_texts ON heads.invoice_no = line_texts.invoice_no
LEFT JOIN detail_texts ON heads.invoice_no = detail_texts.invoice_no;
