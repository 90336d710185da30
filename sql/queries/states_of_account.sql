-- Which states has an account been in, and on what evidence?
-- Grain: one row per change of state, the newest first.
-- Reads: account_state_history.
-- Parameter account (text): the account, by its id
-- Read by: people (edgetoll query).
SELECT
    since,
    until,
    previous,
    state,
    reason,
    cause,
    overdue_since,
    decided_by,
    ledger_version,
    journal_no
FROM account_state_history
WHERE account_id = $account
ORDER BY version DESC

-- Sample:
-- edgetoll query states_of_account --param account=acme
-- | since | until | previous | state | reason | cause | overdue_since | decided_by | ledger_version | journal_no |
-- | --- | --- | --- | --- | --- | --- | --- | --- | ---: | ---: |
-- | 2026-10-06 14:00 |  | overdue | suspend_due | below zero for longer than the grace of 24 h |  | 2026-10-05 12:00 |  | 5 | 6 |
-- | 2026-10-05 12:00 | 2026-10-06 14:00 | ok | overdue | the balance is below zero |  | 2026-10-05 12:00 |  | 4 | 5 |
