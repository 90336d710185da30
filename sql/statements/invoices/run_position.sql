-- Answers: at which journal record a rating or invoice run stands.
-- Grain: at most one row.
-- Reads: runs, invoice_runs.
SELECT max(journal_no) AS journal_no
FROM (
    SELECT
        run_id,
        journal_no
    FROM runs
    WHERE state IN ('done', 'released')
    UNION ALL
    SELECT
        run_id,
        journal_no
    FROM invoice_runs
)
WHERE run_id = $run_id
HAVING count(*) > 0;
