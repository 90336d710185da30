-- The subtotal of a standing invoice is the sum of its month's charges and of the late ones it carries (FAULTS I1). Reads
-- every file of charges: what a run holds itself against is invoice_equals_sums.
-- Grain: one row per invoice where it is not.
-- Reads: invoices, issued_months, charges, invoice_corrections, invoice_events.
-- Read by: billing/checks/invariants.py.
WITH void AS (
    SELECT DISTINCT invoice_no FROM invoice_events WHERE status = 'void'
),

carried AS (
    SELECT k.charge_id, k.invoice_no
    FROM invoice_corrections AS k
    ANTI JOIN void ON k.invoice_no = void.invoice_no
),

looked_at AS (
    SELECT i.invoice_no, i.account_id, i.month, i.subtotal, i.journal_no
    FROM invoices AS i
    INNER JOIN issued_months AS m ON i.invoice_no = m.invoice_no
),

own AS (
    SELECT n.invoice_no, sum(c.amount) AS amount
    FROM looked_at AS n
    INNER JOIN charges AS c
        ON n.account_id = c.account_id AND n.month = c.month AND c.journal_no < n.journal_no
    ANTI JOIN carried ON c.charge_id = carried.charge_id
    GROUP BY n.invoice_no
),

late AS (
    SELECT carried.invoice_no, sum(c.amount) AS amount
    FROM carried
    INNER JOIN charges AS c ON carried.charge_id = c.charge_id
    GROUP BY carried.invoice_no
)

SELECT n.invoice_no, n.subtotal, coalesce(own.amount, 0) AS charged, coalesce(late.amount, 0) AS corrected
FROM looked_at AS n
LEFT JOIN own ON n.invoice_no = own.invoice_no
LEFT JOIN late ON n.invoice_no = late.invoice_no
WHERE n.subtotal <> coalesce(own.amount, 0) + coalesce(late.amount, 0);
