-- A month of an account has at most one standing invoice, and that is the one rating knows of.
-- Grain: one row per account and month where it is not.
-- Reads: invoices, invoice_events, issued_months.
-- Read by: billing/checks/invariants.py.
WITH void AS (
    SELECT DISTINCT invoice_no FROM invoice_events WHERE status = 'void'
),

standing AS (
    SELECT i.account_id, i.month, count(*) AS invoices, max(i.invoice_no) AS invoice_no
    FROM invoices AS i
    ANTI JOIN void ON i.invoice_no = void.invoice_no
    WHERE i.kind = 'invoice' OR i.corrects IS NULL
    GROUP BY i.account_id, i.month
)

SELECT
    coalesce(s.account_id, m.account_id) AS account_id,
    coalesce(s.month, m.month) AS month,
    s.invoices,
    s.invoice_no,
    m.invoice_no AS marked
FROM standing AS s
FULL JOIN issued_months AS m ON s.account_id = m.account_id AND s.month = m.month
WHERE s.invoices IS NULL OR s.invoices <> 1 OR m.invoice_no IS NULL OR s.invoice_no <> m.invoice_no;
