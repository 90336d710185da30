-- Answers: which invoices payments do not reach yet, and how much of each is open.
-- Grain: one row per issued, unpaid invoice, oldest first.
-- Reads: invoices, invoice_events, balances.
WITH noted AS (
    SELECT
        invoice_no,
        max_by(status, journal_no) AS status
    FROM invoice_events
    GROUP BY invoice_no
),

credited AS (
    SELECT
        corrects AS invoice_no,
        sum(total) AS total
    FROM invoices
    WHERE kind = 'credit_note'
    GROUP BY corrects
),

running AS (
    SELECT
        invoices.invoice_no,
        invoices.account_id,
        invoices.month,
        invoices.currency,
        invoices.due_on,
        invoices.issued_at,
        invoices.journal_no,
        invoices.number,
        coalesce(noted.status, 'issued') AS status,
        invoices.total + coalesce(credited.total, 0) AS owed,
        sum(invoices.total + coalesce(credited.total, 0)) OVER (
            PARTITION BY invoices.account_id, invoices.currency
            ORDER BY invoices.issued_at, invoices.journal_no, invoices.number
        ) AS owed_up_to
    FROM invoices
    LEFT JOIN noted ON invoices.invoice_no = noted.invoice_no
    LEFT JOIN credited ON invoices.invoice_no = credited.invoice_no
    WHERE
        invoices.kind = 'invoice'
        AND coalesce(noted.status, 'issued') <> 'void'
        AND ($account IS NULL OR invoices.account_id = $account)
)

SELECT
    running.invoice_no,
    running.account_id,
    running.month,
    running.status,
    running.currency,
    CAST(running.owed AS HUGEINT) AS owed,
    CAST(greatest(0, least(
        running.owed, running.owed_up_to - coalesce(balances.cash, 0) - coalesce(balances.vouchers, 0)
    )) AS HUGEINT) AS still_open,
    running.due_on
FROM running
LEFT JOIN balances
    ON running.account_id = balances.account_id AND running.currency = balances.currency
WHERE running.status <> 'paid' OR $with_paid
ORDER BY running.issued_at, running.journal_no, running.number;
