-- Credit notes never give back more than their invoice asked for, and a void one exactly that.
-- Grain: one row per invoice where they do.
-- Reads: invoices, invoice_events.
-- Read by: billing/checks/invariants.py.
WITH credited AS (
    SELECT corrects AS invoice_no, sum(total) AS total, count(*) AS notes
    FROM invoices
    WHERE kind = 'credit_note'
    GROUP BY corrects
),

void AS (
    SELECT DISTINCT invoice_no FROM invoice_events WHERE status = 'void'
)

SELECT i.invoice_no, i.total, c.total AS credited
FROM invoices AS i
INNER JOIN credited AS c ON i.invoice_no = c.invoice_no
LEFT JOIN void ON i.invoice_no = void.invoice_no
WHERE
    i.kind = 'invoice'
    AND (
        (void.invoice_no IS NULL AND abs(i.total) < abs(c.total))
        OR (void.invoice_no IS NOT NULL AND (i.total <> -c.total OR c.notes <> 1))
    );
