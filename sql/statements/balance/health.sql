-- Answers: through which hour usage was rated, and which runs are held.
-- Grain: one row.
-- Reads: runs.
SELECT
    MAX(through_hour) FILTER (state IN ('done', 'released')) AS usage_through,
    LIST(run_id ORDER BY run_id) FILTER (state = 'held') AS held_runs
FROM runs
WHERE kind = 'rating_run';
