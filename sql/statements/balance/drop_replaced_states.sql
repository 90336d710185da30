-- Answers: removes the present standing of the accounts that get a new one in the same transaction.
-- Grain: one row per account in effect_states.
-- Reads: effect_states.
DELETE FROM account_state
WHERE account_id IN (SELECT account_id FROM effect_states);
