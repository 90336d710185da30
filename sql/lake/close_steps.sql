-- Who looked at a month, let pass what was found, and had it issued.
-- Grain: one row per step of a month's close.
-- Reads: close_steps.
-- Read by: sql/views/close_steps.sql.
SELECT
    month,
    step,
    happened_at,
    decided_by,
    reason,
    findings,
    documents,
    journal_no
FROM close_steps
ORDER BY journal_no;
