-- Answers: how many accounts stand in each state other than ok.
-- Grain: one row per state.
-- Reads: account_state.
SELECT state, COUNT(*) AS accounts
FROM account_state
WHERE state <> 'ok'
GROUP BY state
ORDER BY state;
