-- Answers: the last run that posted, and the hour through which it rated.
-- Grain: at most one row.
-- Reads: runs.
SELECT run_id, through_hour, import_no
FROM runs
WHERE state IN ('done', 'released')
ORDER BY journal_no DESC
LIMIT 1;
