-- The shape of lake_close_steps where billing has not published yet.
-- Grain: one row per step of a month's close.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_close_steps (
    month VARCHAR,
    step VARCHAR,
    happened_at TIMESTAMP,
    decided_by VARCHAR,
    reason VARCHAR,
    findings VARCHAR[],
    documents BIGINT,
    journal_no BIGINT
)
