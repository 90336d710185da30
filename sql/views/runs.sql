-- The rating runs, posted and held.
-- One row per run.
-- Reads lake_runs.
CREATE VIEW runs AS
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
FROM lake_runs
