-- Invoices and credit notes: what was billed for a month, and where each stands.
-- Grain: one row per document. total = subtotal - cut + tax; credit notes are negative.
-- Owner: billing/invoices.
-- Reads: lake_invoices.
-- Read by: people (edgetoll sql), examples/stage.py, sql/queries/newest_invoice.sql, sql/views/focus.sql,
-- sql/views/focus_rows.sql.
CREATE VIEW invoices AS
SELECT
    invoice_no,
    account_id,
    month,
    status,
    currency,
    subtotal,
    tax,
    cut,
    total,
    kind,
    corrects,
    issued_at,
    due_on,
    status_at,
    period_start,
    period_end,
    timezone,
    tax_rate_bp,
    customer_name,
    hours,
    incomplete_hours,
    certificates,
    usage_sha256,
    reason,
    series,
    number,
    run_id,
    content_sha256,
    journal_no,
    seller_name,
    tzdata
FROM lake_invoices
