-- What stands on an issued document is what was issued: its content still has the hash it got (FAULTS I4).
-- Grain: one row per document of part $part of $parts whose content changed.
-- Reads: invoices, invoice_lines, invoice_detail. The text is that of statements/invoices/content_hashes.
-- Read by: billing/checks/invariants.py.
WITH looked_at AS (
    SELECT invoice_no
    FROM invoices
    WHERE journal_no > $after AND hash(invoice_no) % CAST($parts AS UBIGINT) = CAST($part AS UBIGINT)
),

line_texts AS (
    SELECT
        l.invoice_no,
        list({'place': l.line_no, 'text':
            concat_ws(
                chr(31), l.line_no, l.kind, l.item, l.region, coalesce(l.domain, ''), l.quantity,
                l.free_quantity, l.plan_quantity, l.billable_quantity, l.unit, l.unit_quantity, l.unit_price,
                l.amount, l.settled_amount, l.leftover, rate_text(l.tax_rate_bp), l.tax, l.rate_card, l.tier,
                coalesce(l.corrects_invoice, ''), coalesce(CAST(l.corrects_hour AS VARCHAR), ''), l.reason,
                CAST(l.corrects_until AS VARCHAR)
            )
        }) AS content
    FROM invoice_lines AS l
    SEMI JOIN looked_at ON l.invoice_no = looked_at.invoice_no
    WHERE hash(l.invoice_no) % CAST($parts AS UBIGINT) = CAST($part AS UBIGINT)
    GROUP BY l.invoice_no
),

detail_texts AS (
    SELECT
        d.invoice_no,
        list({
            'day': d.day, 'domain': d.domain, 'class': d.class, 'region': d.region,
            'text': concat_ws(chr(31), d.day, d.domain, d.class, d.region, d.requests, d.bytes_sent)
        }) AS content
    FROM invoice_detail AS d
    SEMI JOIN looked_at ON d.invoice_no = looked_at.invoice_no
    WHERE hash(d.invoice_no) % CAST($parts AS UBIGINT) = CAST($part AS UBIGINT)
    GROUP BY d.invoice_no
)

SELECT h.invoice_no, h.content_sha256
FROM invoices AS h
SEMI JOIN looked_at ON h.invoice_no = looked_at.invoice_no
LEFT JOIN line_texts ON h.invoice_no = line_texts.invoice_no
LEFT JOIN detail_texts ON h.invoice_no = detail_texts.invoice_no
WHERE h.content_sha256 <> sha256(concat_ws(
    chr(29),
    concat_ws(
        chr(31), h.invoice_no, h.series, h.number, h.kind, h.account_id, h.month, h.currency, h.digits,
        h.issued_at, h.due_on, h.period_start, h.period_end, h.timezone, h.seller, h.customer_name,
        h.customer_address, h.customer_country, h.customer_tax_id, h.customer_email, h.subtotal, h.cut, h.tax,
        h.total, coalesce(rate_text(h.tax_rate_bp), ''), h.hours, h.incomplete_hours, h.certificates, h.usage_sha256,
        coalesce(h.corrects, ''), h.reason, h.tzdata, h.balance_before, h.payments_since, h.prepaid_used, h.details
    ),
    coalesce(sorted_texts(line_texts.content), ''),
    coalesce(sorted_texts(detail_texts.content), '')
));
