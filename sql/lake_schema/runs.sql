-- The shape of lake table runs where billing has published none yet.
-- Grain: one row per row of sql/lake/runs.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_runs (
    run_id VARCHAR,
    kind VARCHAR,
    ran_at TIMESTAMP,
    state VARCHAR,
    through_hour TIMESTAMP,
    import_no BIGINT,
    charges BIGINT,
    hours BIGINT,
    totals VARCHAR,
    reason VARCHAR,
    journal_no BIGINT
)
