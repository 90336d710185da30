-- Answers: all account-hours that stay unrated after this run, old and new.
-- Grain: account × hour. Temporary.
-- Reads: rating_held, rating_held_now, rating_accounts.
CREATE OR REPLACE TEMP TABLE rating_out_held AS
SELECT a.account_id, n.hour, n.problem, n.hint
FROM rating_held_now AS n JOIN rating_accounts AS a ON a.account_key = n.account_key
UNION ALL
SELECT h.account_id, h.hour, h.problem, h.hint
FROM rating_held AS h
JOIN rating_accounts AS a ON a.account_id = h.account_id
WHERE a.replay_from IS NULL OR h.hour < a.replay_from;
