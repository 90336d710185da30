-- The rating runs, posted and held.
-- Grain: one row per run.
-- Reads: runs.
-- Read by: sql/views/runs.sql.
SELECT
    run_id,
    kind,
    ran_at,
    state,
    through_hour,
    import_no,
    charges,
    hours,
    totals,
    reason,
    journal_no
FROM runs
ORDER BY journal_no;
