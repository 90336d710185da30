-- The shape of lake table invoice_lines where billing has published none yet.
-- Grain: one row per row of sql/lake/invoice_lines.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_invoice_lines (
    invoice_no VARCHAR,
    line_no INTEGER,
    item VARCHAR,
    region VARCHAR,
    domain VARCHAR,
    quantity BIGINT,
    free_quantity BIGINT,
    plan_quantity BIGINT,
    billable_quantity BIGINT,
    unit VARCHAR,
    unit_price DECIMAL(38, 10),
    amount DECIMAL(38, 10),
    settled_amount DECIMAL(38, 10),
    leftover DECIMAL(38, 10),
    tax_rate_bp DECIMAL(9, 2),
    tax DECIMAL(38, 10),
    kind VARCHAR,
    unit_quantity BIGINT,
    rate_card VARCHAR,
    tier VARCHAR,
    corrects_invoice VARCHAR,
    corrects_hour TIMESTAMP,
    reason VARCHAR,
    corrects_until TIMESTAMP
)
