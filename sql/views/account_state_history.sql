-- Which states each account had, from when to when, and why: how long it was suspended, who decided it.
-- Grain: one row per account × version; an account that never left ok has none.
-- Owner: billing/balance.
-- Reads: lake_account_state_history.
-- Read by: people (edgetoll sql), sql/queries/suspensions.sql.
CREATE VIEW account_state_history AS
SELECT
    account_id,
    version,
    state,
    previous,
    since,
    lead(since) OVER (PARTITION BY account_id ORDER BY version) AS until,
    reason,
    overdue_since,
    cause,
    decided_by,
    ledger_version,
    journal_no
FROM lake_account_state_history
