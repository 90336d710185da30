-- The ledger holds for each document the tax it asks for and the cut it gives back, once.
-- Grain: one row per document and code that differs.
-- Reads: invoices, posted_transfers (a charge is neither tax nor cut).
-- Read by: billing/checks/invariants.py.
WITH wanted AS (
    SELECT invoice_no, account_id, currency, 'tax' AS code, tax AS owed FROM invoices WHERE journal_no > $after
    UNION ALL
    SELECT invoice_no, account_id, currency, 'cut' AS code, -cut AS owed FROM invoices WHERE journal_no > $after
),

posted AS (
    SELECT
        t.reference AS invoice_no,
        t.code,
        sum(CASE WHEN t.debit_account LIKE 'customer:%' THEN t.amount ELSE -t.amount END) AS owed,
        count(*) AS times
    FROM posted_transfers AS t
    WHERE t.code IN ('tax', 'cut') AND t.journal_no > $after
    GROUP BY t.reference, t.code
)

SELECT w.invoice_no, w.code, w.owed, coalesce(p.owed, 0) AS posted, coalesce(p.times, 0) AS times
FROM wanted AS w
LEFT JOIN posted AS p ON w.invoice_no = p.invoice_no AND w.code = p.code
WHERE w.owed <> coalesce(p.owed, 0) OR p.times > 1;
