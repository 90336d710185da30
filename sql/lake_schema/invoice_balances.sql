-- The shape of lake_invoice_balances where billing has not published yet.
-- Grain: one row per invoice that is not void.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_invoice_balances (
    invoice_no VARCHAR,
    account_id VARCHAR,
    month VARCHAR,
    currency VARCHAR,
    due_on DATE,
    issued_at TIMESTAMP,
    owed DECIMAL(38, 10),
    open_amount DECIMAL(38, 10),
    total DECIMAL(38, 10),
    balance_before DECIMAL(38, 10),
    payments_since DECIMAL(38, 10),
    prepaid_used DECIMAL(38, 10)
)
