-- Answers: up to which hour usage was rated, which import that covered, and whether a run is held.
-- Grain: one row; NULLs when nothing was rated yet.
-- Reads: rating_marks, runs, usage, imported_files.
-- Rating looks at usage, so an import of empty hours alone leaves nothing to rate: once all usage is
-- rated, everything imported is covered.
WITH seen AS (
    SELECT
        (SELECT coalesce(max(import_no), 0) FROM rating_marks) AS rated_no,
        (SELECT coalesce(max(import_no), 0) FROM usage) AS used_no,
        (SELECT coalesce(max(import_no), 0) FROM imported_files WHERE NOT too_old) AS imported_no
)

SELECT
    (SELECT max(through) FROM rating_marks) AS through_hour,
    CASE WHEN rated_no < used_no THEN rated_no ELSE greatest(rated_no, imported_no) END AS import_no,
    rated_no < used_no AS has_unrated,
    (SELECT coalesce(string_agg(run_id, ', ' ORDER BY run_id), '') FROM runs WHERE state = 'held') AS held_runs
FROM seen;
