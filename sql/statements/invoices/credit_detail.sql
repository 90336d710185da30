-- Answers: a credit note has no appendix.
-- Grain: no row.
-- Reads: invoice_detail (its shape only).
CREATE OR REPLACE TEMP TABLE invoice_out_detail AS
SELECT * FROM invoice_detail WHERE false;
