-- Which documents were issued, over what, and where they stand.
-- Grain: one row per invoice or credit note.
-- Reads: invoices, invoice_events.
-- Read by: sql/views/invoices.sql.
WITH standing AS (
    SELECT
        invoice_no,
        max_by(status, journal_no) AS status,
        max(changed_at) AS changed_at
    FROM invoice_events
    GROUP BY invoice_no
)

SELECT
    i.invoice_no,
    i.account_id,
    i.month,
    coalesce(standing.status, 'issued') AS status,
    i.currency,
    CAST(CAST(i.subtotal AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS subtotal,
    CAST(CAST(i.tax AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS tax,
    CAST(CAST(i.cut AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS cut,
    CAST(CAST(i.total AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS total,
    i.kind,
    i.corrects,
    i.issued_at,
    i.due_on,
    standing.changed_at AS status_at,
    i.period_start,
    i.period_end,
    i.timezone,
    i.tax_rate_bp,
    i.customer_name,
    i.hours,
    i.incomplete_hours,
    i.certificates,
    i.usage_sha256,
    i.reason,
    i.series,
    i.number,
    i.run_id,
    i.content_sha256,
    i.journal_no,
    json_extract_string(i.seller, '$.name') AS seller_name,
    i.tzdata
FROM invoices AS i
LEFT JOIN standing ON i.invoice_no = standing.invoice_no
ORDER BY i.series, i.number;
