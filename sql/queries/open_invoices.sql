-- Which invoices are not paid?
-- Grain: one row per invoice with an open amount.
-- Reads: invoice_balances.
-- Read by: people (edgetoll query).
SELECT
    invoice_no,
    account_id,
    month,
    due_on,
    days_overdue,
    owed,
    paid_amount,
    open_amount,
    currency
FROM invoice_balances
WHERE open_amount > 0
ORDER BY due_on, invoice_no

-- Sample:
-- edgetoll query open_invoices
-- | invoice_no | account_id | month | due_on | days_overdue | owed | paid_amount | open_amount | currency |
-- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
-- | INV-USD-2026-000001 | acme | 2026-10 | 2026-11-16 | 9 | 1.2400000000 | 0.5000000000 | 0.7400000000 | USD |
