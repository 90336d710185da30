-- The shape of lake_invoice_usage where billing has not published yet.
-- Grain: one row per document × domain × class × region.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_invoice_usage (
    invoice_no VARCHAR,
    domain VARCHAR,
    class VARCHAR,
    region VARCHAR,
    requests BIGINT,
    bytes_sent BIGINT
)
