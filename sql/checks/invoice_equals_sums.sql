-- The subtotal of a standing invoice is what the sums of its month said then, and the late charges it carries (FAULTS I1).
-- Grain: one row per invoice where it is not.
-- Reads: invoices, issued_months, month_state, late_charges, invoice_corrections, invoice_events.
-- Read by: billing/checks/invariants.py.
WITH void AS (
    SELECT DISTINCT invoice_no FROM invoice_events WHERE status = 'void'
),

carried AS (
    SELECT k.invoice_no, c.account_id, c.month, c.journal_no, c.amount
    FROM invoice_corrections AS k
    ANTI JOIN void ON k.invoice_no = void.invoice_no
    INNER JOIN late_charges AS c ON k.charge_id = c.charge_id
),

looked_at AS (
    SELECT i.invoice_no, i.account_id, i.month, i.subtotal, i.journal_no
    FROM invoices AS i
    INNER JOIN issued_months AS m ON i.invoice_no = m.invoice_no
    WHERE i.journal_no > $after
),

sums AS (
    SELECT n.invoice_no, sum(s.amount) AS amount
    FROM looked_at AS n
    INNER JOIN month_state AS s ON n.account_id = s.account_id AND n.month = s.month
    GROUP BY n.invoice_no
),

-- What moved the sums since, and what a standing invoice had corrected before.
others AS (
    SELECT n.invoice_no, sum(c.amount) AS amount
    FROM looked_at AS n
    INNER JOIN (
        SELECT account_id, month, journal_no, amount, true AS since FROM late_charges
        UNION ALL
        SELECT account_id, month, journal_no, amount, false AS since FROM carried
    ) AS c
        ON n.account_id = c.account_id AND n.month = c.month AND c.since = (c.journal_no > n.journal_no)
    GROUP BY n.invoice_no
),

late AS (
    SELECT invoice_no, sum(amount) AS amount FROM carried GROUP BY invoice_no
)

SELECT n.invoice_no, n.subtotal, coalesce(s.amount, 0) AS sums, coalesce(o.amount, 0) AS others, coalesce(l.amount, 0) AS late
FROM looked_at AS n
LEFT JOIN sums AS s ON n.invoice_no = s.invoice_no
LEFT JOIN others AS o ON n.invoice_no = o.invoice_no
LEFT JOIN late AS l ON n.invoice_no = l.invoice_no
WHERE n.subtotal <> coalesce(s.amount, 0) - coalesce(o.amount, 0) + coalesce(l.amount, 0);
