-- Answers: which invoices the money paid in reaches, the oldest first, where that differs from what is noted.
-- Grain: one row per invoice whose standing changes.
-- Reads: invoices, invoice_events, balances. Credit notes reduce what is to pay; void invoices count nothing.
CREATE OR REPLACE TEMP TABLE invoice_standing AS
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

open_totals AS (
    SELECT
        invoices.invoice_no,
        invoices.account_id,
        invoices.currency,
        coalesce(noted.status, 'issued') AS status,
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
),

judged AS (
    SELECT
        open_totals.invoice_no,
        open_totals.status,
        CASE
            WHEN open_totals.owed_up_to <= coalesce(balances.cash, 0) + coalesce(balances.vouchers, 0) THEN 'paid'
            ELSE 'issued'
        END AS new_status
    FROM open_totals
    LEFT JOIN balances
        ON open_totals.account_id = balances.account_id AND open_totals.currency = balances.currency
)

SELECT
    invoice_no,
    new_status AS status,
    CASE new_status
        WHEN 'paid' THEN 'payments reach it, the oldest invoices first'
        ELSE 'payments were taken back and no longer reach it'
    END AS reason
FROM judged
WHERE status <> new_status
ORDER BY invoice_no;
