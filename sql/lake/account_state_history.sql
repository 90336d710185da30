-- Every state an account ever had, with what it rested on.
-- Grain: one row per account × version, of the journal records in the session's lake_range.
-- Reads: account_state_history.
-- Read by: sql/views/account_state_history.sql.
SELECT
    account_id,
    version,
    state,
    previous,
    since,
    reason,
    overdue_since,
    cause,
    decided_by,
    ledger_version,
    journal_no
FROM account_state_history
WHERE journal_no > getvariable('lake_range').after AND journal_no <= getvariable('lake_range').through;
