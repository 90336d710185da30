-- Answers: whether an account was ever charged.
-- Grain: one row if it was, else none.
-- Reads: charges.
SELECT 1 FROM charges WHERE account_id = $account_id LIMIT 1;
