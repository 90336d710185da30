-- The rating runs, posted and held.
-- Grain: one row per run.
-- Owner: billing/runs.
-- Reads: lake_runs.
-- Read by: people (edgetoll sql).
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
