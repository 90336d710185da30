-- Who closed each month, step by step: approved it with what was found, had it issued.
-- Grain: one row per step.
-- Owner: billing/close.
-- Reads: lake_close_steps.
-- Read by: people (edgetoll sql).
CREATE VIEW close_steps AS
SELECT
    month,
    step,
    happened_at,
    decided_by,
    reason,
    findings,
    documents,
    journal_no
FROM lake_close_steps
