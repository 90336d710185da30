-- Answers: the run that the breaker holds, if any.
-- Grain: at most one row.
-- Reads: runs.
SELECT run_id, through_hour, totals, reason
FROM runs
WHERE state = 'held'
ORDER BY journal_no DESC
LIMIT 1;
