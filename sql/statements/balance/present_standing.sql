-- Answers: how one account stands now.
-- Grain: one row, or none for an account that never left ok.
-- Reads: account_state.
SELECT version, state, since, reason
FROM account_state
WHERE account_id = $account_id;
