-- Answers: which documents belong to a month (and account), for reading them.
-- Grain: one row per document.
-- Reads: $heads (invoices or a draft of them).
CREATE OR REPLACE TEMP TABLE invoice_chosen AS
SELECT
    invoice_no,
    (row_number() OVER (ORDER BY invoice_no) - 1) // $size AS chunk
FROM query_table($heads)
WHERE month = $month AND ($account IS NULL OR account_id = $account);
