-- Which invoices the customer's money reaches: the oldest first (DOMAIN §9.10).
-- billing/invoices/payments.py runs due_items, then one of the two that read it.
-- Money is HUGEINT, 10^-10 currency units.

-- name: due_items
-- One row per invoice that is not void: what it asks for after its credit notes, what of that money has not reached,
-- and where it stands by that. This is the only place where money is allotted to invoices.
CREATE OR REPLACE TEMP TABLE invoice_due_items AS
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
        AND ($accounts::VARCHAR[] IS NULL OR list_contains($accounts::VARCHAR[], invoices.account_id))
)

SELECT
    running.invoice_no,
    running.account_id,
    running.month,
    running.currency,
    running.due_on,
    running.issued_at,
    running.journal_no,
    running.number,
    running.status,
    CAST(running.owed AS HUGEINT) AS owed,
    CAST(greatest(0, least(
        running.owed, running.owed_up_to - coalesce(balances.cash, 0) - coalesce(balances.vouchers, 0)
    )) AS HUGEINT) AS still_open,
    CASE
        WHEN running.owed_up_to <= coalesce(balances.cash, 0) + coalesce(balances.vouchers, 0) THEN 'paid'
        ELSE 'issued'
    END AS new_status
FROM running
LEFT JOIN balances
    ON running.account_id = balances.account_id AND running.currency = balances.currency;

-- name: open_invoices
-- One row per invoice not noted as paid (with the paid ones too if asked), oldest first.
SELECT
    invoice_no,
    account_id,
    month,
    status,
    currency,
    owed,
    still_open,
    due_on
FROM invoice_due_items
WHERE status <> 'paid' OR $with_paid
ORDER BY issued_at, journal_no, number;

-- name: standing
-- One row per invoice whose standing is not what is noted.
CREATE OR REPLACE TEMP TABLE invoice_standing AS
SELECT
    invoice_no,
    new_status AS status,
    CASE new_status
        WHEN 'paid' THEN 'payments reach it, the oldest invoices first'
        ELSE 'payments were taken back and no longer reach it'
    END AS reason
FROM invoice_due_items
WHERE status <> new_status
ORDER BY invoice_no;
