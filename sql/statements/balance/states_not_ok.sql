-- Answers: every account that is not ok, for the daily message and for counting.
-- Grain: one row per account.
-- Reads: account_state.
SELECT account_id, version, state, since, cause, reason
FROM account_state
WHERE state <> 'ok'
ORDER BY account_id;
