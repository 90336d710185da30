-- The shape of lake table transfers where billing has published none yet.
-- Grain: one row per row of sql/lake/transfers.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_transfers (
    transfer_id VARCHAR,
    debit_account VARCHAR,
    credit_account VARCHAR,
    amount DECIMAL(38, 10),
    currency VARCHAR,
    code VARCHAR,
    account_id VARCHAR,
    effective_at TIMESTAMP,
    recorded_at TIMESTAMP,
    journal_no BIGINT,
    reference VARCHAR
)
