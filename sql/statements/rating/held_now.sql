-- Answers: which account-hours this run could not rate.
-- Grain: account × hour.
-- Reads: rating_held_now, rating_accounts.
SELECT a.account_id, n.hour, n.problem, n.hint
FROM rating_held_now AS n JOIN rating_accounts AS a ON a.account_key = n.account_key
ORDER BY n.hour, a.account_id;
