-- Every document adds up: total = subtotal - cut + tax, and its lines add up to subtotal, net and tax (FAULTS I1).
-- Grain: one row per document that does not.
-- Reads: invoices, invoice_lines.
-- Read by: billing/checks/invariants.py.
WITH sums AS (
    SELECT
        l.invoice_no,
        sum(l.amount) AS amount,
        sum(l.settled_amount) AS settled_amount,
        sum(l.tax) AS tax
    FROM invoice_lines AS l
    SEMI JOIN invoices AS i ON l.invoice_no = i.invoice_no AND i.journal_no > $after
    GROUP BY l.invoice_no
)

SELECT i.invoice_no, i.subtotal, i.cut, i.tax, i.total, sums.amount, sums.settled_amount, sums.tax AS line_tax
FROM invoices AS i
LEFT JOIN sums ON i.invoice_no = sums.invoice_no
WHERE
    i.journal_no > $after
    AND (
        sums.invoice_no IS NULL
        OR i.total <> i.subtotal - i.cut + i.tax
        OR i.subtotal <> sums.amount
        OR i.subtotal - i.cut <> sums.settled_amount
        OR i.tax <> sums.tax
    );
