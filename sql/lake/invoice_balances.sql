-- What each invoice asks for and what no money has reached yet, as billing allots money: to the oldest first.
-- Grain: one row per invoice that is not void.
-- Reads: invoices, and the macro invoice_items of sql/schema/invoices.sql.
-- Read by: sql/views/invoice_balances.sql.
SELECT
    t.invoice_no,
    t.account_id,
    t.month,
    t.currency,
    t.due_on,
    t.issued_at,
    CAST(CAST(t.owed AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS owed,
    CAST(CAST(t.still_open AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS open_amount,
    CAST(CAST(i.total AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS total,
    CAST(CAST(i.balance_before AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS balance_before,
    CAST(CAST(i.payments_since AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS payments_since,
    CAST(CAST(i.prepaid_used AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS prepaid_used
FROM invoice_items(NULL::VARCHAR[]) AS t
INNER JOIN invoices AS i ON t.invoice_no = i.invoice_no
ORDER BY t.account_id, t.issued_at, t.journal_no, t.number;
