-- What each invoice asks for and what no money has reached yet, as billing allots money: to the oldest first.
-- Grain: one row per invoice that is not void.
-- Reads: the macro invoice_items of sql/schema/invoices.sql.
-- Read by: sql/views/invoice_balances.sql.
SELECT
    invoice_no,
    account_id,
    month,
    currency,
    due_on,
    issued_at,
    CAST(CAST(owed AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS owed,
    CAST(CAST(still_open AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS open_amount
FROM invoice_items(NULL::VARCHAR[])
ORDER BY account_id, issued_at, journal_no, number;
