-- What stands on invoices and credit notes: amount is exact, settled_amount adds up to subtotal - cut.
-- Grain: one row per document × line.
-- Owner: billing/invoices.
-- Reads: lake_invoice_lines.
-- Read by: people (edgetoll sql), sql/queries/newest_invoice.sql.
CREATE VIEW invoice_lines AS
SELECT
    invoice_no,
    line_no,
    item,
    region,
    domain,
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    unit,
    unit_price,
    amount,
    settled_amount,
    leftover,
    tax_rate_bp,
    tax,
    kind,
    unit_quantity,
    rate_card,
    tier,
    corrects_invoice,
    corrects_hour,
    reason,
    corrects_until
FROM lake_invoice_lines
