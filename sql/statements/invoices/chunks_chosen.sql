-- Answers: in how many chunks the chosen documents are read.
-- Grain: one row.
-- Reads: invoice_chosen.
SELECT coalesce(max(chunk) + 1, 0) AS chunks
FROM invoice_chosen;
