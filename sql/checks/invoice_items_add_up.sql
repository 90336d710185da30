-- What invoices leave open is what the customer owes on documents: their totals and what was credited of issued months,
-- less what was paid in, and never less than nothing (CASES G4).
-- Grain: one row per account and currency where it is not.
-- Reads: invoices, invoice_events, invoice_corrections, charges, issued_months, balances, invoice_items.
-- Read by: billing/checks/invariants.py.
WITH void AS (
    SELECT DISTINCT invoice_no FROM invoice_events WHERE status = 'void'
),

documents AS (
    SELECT i.account_id, i.currency, sum(i.total) AS total
    FROM invoices AS i
    ANTI JOIN void ON i.invoice_no = void.invoice_no
    ANTI JOIN void AS back ON i.corrects = back.invoice_no AND i.kind = 'credit_note'
    GROUP BY i.account_id, i.currency
),

carried AS (
    SELECT k.charge_id
    FROM invoice_corrections AS k
    ANTI JOIN void ON k.invoice_no = void.invoice_no
),

-- Charge by charge, where the allotment looks at sums.
late AS (
    SELECT c.account_id, least(sum(c.amount), 0) AS amount
    FROM charges AS c
    INNER JOIN issued_months AS m ON c.account_id = m.account_id AND c.month = m.month
    ANTI JOIN carried ON c.charge_id = carried.charge_id
    WHERE c.journal_no > m.journal_no
    GROUP BY c.account_id
),

items AS (
    SELECT account_id, currency, sum(still_open) AS still_open
    FROM invoice_items(NULL::VARCHAR[])
    GROUP BY account_id, currency
)

SELECT
    d.account_id,
    coalesce(i.still_open, 0) AS still_open,
    greatest(0, d.total + coalesce(late.amount, 0) - coalesce(b.cash, 0) - coalesce(b.vouchers, 0)) AS owed
FROM documents AS d
LEFT JOIN items AS i ON d.account_id = i.account_id AND d.currency = i.currency
LEFT JOIN late ON d.account_id = late.account_id
LEFT JOIN balances AS b ON d.account_id = b.account_id AND d.currency = b.currency
WHERE coalesce(i.still_open, 0) <> owed;
