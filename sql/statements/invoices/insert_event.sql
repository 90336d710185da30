-- Answers: notes a change of one document's standing.
-- Grain: one row.
-- Reads: nothing but its parameters.
INSERT INTO invoice_events BY NAME
SELECT
    $invoice_no::VARCHAR AS invoice_no,
    $status::VARCHAR AS status,
    $changed_at::TIMESTAMP AS changed_at,
    $reason::VARCHAR AS reason,
    $journal_no::BIGINT AS journal_no;
