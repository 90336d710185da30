-- Answers: the state of one run.
-- Grain: at most one row.
-- Reads: runs.
SELECT state, through_hour, totals, reason FROM runs WHERE run_id = $run_id;
