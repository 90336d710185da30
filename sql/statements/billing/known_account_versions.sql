-- Answers: the versions already stored of the accounts in a load, and of their first version.
-- Grain: one row per stored version.
-- Reads: account_versions, load_accounts.
SELECT v.* EXCLUDE (journal_no)
FROM account_versions AS v
SEMI JOIN load_accounts AS l ON v.account_id = l.account_id
ORDER BY v.account_id, v.effective_from;
