-- Answers: up to which hour usage was rated, the last import that covered, and whether a run is held.
-- Grain: one row; NULLs when nothing was rated yet.
-- Reads: rating_marks, runs, imported_files.
SELECT
    (SELECT max(through) FROM rating_marks) AS through_hour,
    (SELECT coalesce(max(import_no), 0) FROM rating_marks) AS import_no,
    (SELECT coalesce(max(import_no), 0) FROM imported_files WHERE NOT too_old) AS last_import_no,
    (SELECT coalesce(string_agg(run_id, ', ' ORDER BY run_id), '') FROM runs WHERE state = 'held') AS held_runs;
