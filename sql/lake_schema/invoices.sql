-- The shape of lake table invoices where billing has published none yet.
-- Grain: one row per row of sql/lake/invoices.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_invoices (
    invoice_no VARCHAR,
    account_id VARCHAR,
    month VARCHAR,
    status VARCHAR,
    currency VARCHAR,
    subtotal DECIMAL(38, 10),
    tax DECIMAL(38, 10),
    cut DECIMAL(38, 10),
    total DECIMAL(38, 10),
    kind VARCHAR,
    corrects VARCHAR,
    issued_at TIMESTAMP,
    due_on DATE,
    status_at TIMESTAMP,
    period_start TIMESTAMP,
    period_end TIMESTAMP,
    timezone VARCHAR,
    tax_rate_bp DECIMAL(9, 2),
    customer_name VARCHAR,
    hours BIGINT,
    incomplete_hours BIGINT,
    certificates BIGINT,
    usage_sha256 VARCHAR,
    reason VARCHAR,
    series VARCHAR,
    number BIGINT,
    run_id VARCHAR,
    content_sha256 VARCHAR,
    journal_no BIGINT,
    seller_name VARCHAR,
    tzdata VARCHAR
)
