-- Answers: takes the held form of a run away, since the record that posts it stores it anew.
-- Grain: at most one row.
-- Reads: runs.
DELETE FROM runs WHERE run_id = $run_id;
