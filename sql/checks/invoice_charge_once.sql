-- No charge stands on two standing invoices (FAULTS I2).
-- Grain: one row per charge that does.
-- Reads: invoice_corrections, invoice_events, invoices, charges.
-- Read by: billing/checks/invariants.py.
WITH void AS (
    SELECT DISTINCT invoice_no FROM invoice_events WHERE status = 'void'
),

carried AS (
    SELECT k.charge_id, k.invoice_no
    FROM invoice_corrections AS k
    ANTI JOIN void ON k.invoice_no = void.invoice_no
)

SELECT carried.charge_id, count(*) AS times, string_agg(carried.invoice_no, ', ' ORDER BY carried.invoice_no) AS on_invoices
FROM carried
WHERE
    $after = 0
    OR carried.charge_id IN (
        SELECT k.charge_id
        FROM invoice_corrections AS k
        INNER JOIN invoices AS i ON k.invoice_no = i.invoice_no
        WHERE i.journal_no > $after
    )
GROUP BY carried.charge_id
HAVING count(*) > 1;
