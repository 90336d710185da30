-- Answers: the finished heads with the hash of their content, as the journal keeps them.
-- Grain: one row per document.
-- Reads: invoice_heads, invoice_hashes.
CREATE OR REPLACE TEMP TABLE invoice_out_heads AS
SELECT
    invoice_heads.*,
    invoice_hashes.content_sha256
FROM invoice_heads
INNER JOIN invoice_hashes ON invoice_heads.invoice_no = invoice_hashes.invoice_no
ORDER BY invoice_heads.series, invoice_heads.number;
