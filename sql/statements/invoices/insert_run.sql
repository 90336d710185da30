-- Answers: notes a run that issued documents.
-- Grain: one row.
-- Reads: nothing but its parameters.
INSERT INTO invoice_runs BY NAME
SELECT
    $run_id::VARCHAR AS run_id,
    $month::VARCHAR AS month,
    $ran_at::TIMESTAMP AS ran_at,
    $import_no::BIGINT AS import_no,
    $documents::BIGINT AS documents,
    $reason::VARCHAR AS reason,
    $journal_no::BIGINT AS journal_no;
