-- What was charged for a month after an invoice of it was issued, and the document that carries it.
-- Grain: one row per such charge.
-- Owner: billing/invoices.
-- Reads: lake_late_charges, lake_invoice_corrections, invoices. What a void document carried is carried anew.
-- Read by: people (edgetoll sql), sql/queries/unbilled.sql.
CREATE VIEW late_charges AS
SELECT
    l.charge_id,
    l.account_id,
    l.month,
    l.item,
    l.region,
    l.period_start,
    l.period_end,
    l.quantity,
    l.amount,
    l.rate_card,
    l.reason,
    k.invoice_no,
    l.journal_no
FROM lake_late_charges AS l
LEFT JOIN (
    SELECT c.charge_id, c.invoice_no
    FROM lake_invoice_corrections AS c
    INNER JOIN invoices AS i ON c.invoice_no = i.invoice_no
    WHERE i.status <> 'void'
) AS k ON l.charge_id = k.charge_id
