-- Answers: how many accounts' pasts wait for rating to look.
-- Grain: one row.
-- Reads: replay_marks.
SELECT count(*) FROM replay_marks WHERE from_bucket < CAST($through AS TIMESTAMP);
