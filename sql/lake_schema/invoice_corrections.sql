-- The shape of lake table invoice_corrections where billing has published none yet.
-- Grain: one row per row of sql/lake/invoice_corrections.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_invoice_corrections (
    invoice_no VARCHAR,
    line_no INTEGER,
    charge_id VARCHAR
)
