-- Answers: takes new standings in: one into the history for ever, and it becomes the account's present one.
-- Grain: one row per account in effect_states.
-- Reads: effect_states (the record's effect, all text).
INSERT INTO account_state_history
SELECT
    account_id,
    version::BIGINT,
    state,
    previous,
    since::TIMESTAMP,
    reason,
    overdue_since::TIMESTAMP,
    overdue_clock::BIGINT,
    cause,
    decided_by,
    evidence,
    ledger_version::BIGINT,
    $journal_no
FROM effect_states;
