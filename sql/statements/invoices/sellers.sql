-- Answers: which sellers (with terms) stand on the chosen documents.
-- Grain: one row per seller text.
-- Reads: $heads, invoice_chosen.
SELECT DISTINCT h.seller
FROM query_table($heads) AS h
INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no;
