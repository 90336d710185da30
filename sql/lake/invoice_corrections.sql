-- Which charges of earlier, issued months each document carries.
-- Grain: one row per document × line × charge.
-- Reads: invoice_corrections.
-- Read by: sql/views/focus_rows.sql.
SELECT
    invoice_no,
    line_no,
    charge_id
FROM invoice_corrections
ORDER BY invoice_no, line_no, charge_id;
