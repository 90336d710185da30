-- The shape of lake_account_state_history where billing has not published yet.
-- Grain: one row per account × version.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_account_state_history (
    account_id VARCHAR,
    version BIGINT,
    state VARCHAR,
    previous VARCHAR,
    since TIMESTAMP,
    reason VARCHAR,
    overdue_since TIMESTAMP,
    cause VARCHAR,
    decided_by VARCHAR,
    ledger_version BIGINT,
    journal_no BIGINT
)
