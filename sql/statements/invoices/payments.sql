-- Which invoices the customer's money reaches: the oldest first (DOMAIN §9.10).
-- billing/invoices/payments.py runs them; the allotment itself is the macro invoice_items of sql/schema/invoices.sql.
-- Money is HUGEINT, 10^-10 currency units.

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
FROM invoice_items($accounts::VARCHAR[])
WHERE status <> 'paid' OR $with_paid
ORDER BY issued_at, journal_no, number;

-- name: standing
-- One row per invoice whose standing is not what is noted.
CREATE OR REPLACE TEMP TABLE invoice_standing AS
SELECT
    invoice_no,
    new_status AS status,
    CASE new_status
        WHEN 'paid' THEN 'payments and credits reach it, the oldest invoices first'
        ELSE 'payments were taken back and no longer reach it'
    END AS reason
FROM invoice_items($accounts::VARCHAR[])
WHERE status <> new_status
ORDER BY invoice_no;
