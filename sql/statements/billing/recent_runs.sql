-- Answers: the totals of the latest runs that posted something, newest first.
-- Grain: one row per run.
-- Reads: runs.
SELECT totals
FROM runs
WHERE state IN ('done', 'released') AND charges > 0
ORDER BY journal_no DESC
LIMIT $limit;
