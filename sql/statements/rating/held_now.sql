-- Answers: which account-hours are unrated after this run, the oldest first, and how many there are.
-- Grain: account × hour; at most $most rows.
-- Reads: rating_out_held.
SELECT account_id, hour, problem, hint, count(*) OVER () AS held
FROM rating_out_held
ORDER BY hour, account_id
LIMIT $most;
