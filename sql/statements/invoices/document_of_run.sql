-- Answers: which document a run of that id issued (a credit note's run id carries its command's key).
-- Grain: at most one row.
-- Reads: invoices.
SELECT
    invoice_no,
    corrects,
    total,
    currency
FROM invoices
WHERE run_id = $run_id;
