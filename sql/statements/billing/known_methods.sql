-- Answers: the stored method changes of the accounts in a load.
-- Grain: one row per stored change.
-- Reads: account_methods, load_methods.
SELECT m.account_id, m.method, m.effective_from
FROM account_methods AS m
SEMI JOIN load_methods AS l ON m.account_id = l.account_id AND m.effective_from = l.effective_from;
