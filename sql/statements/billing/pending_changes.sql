-- Answers: how many accounts' pasts wait for rating to look.
-- Grain: one row.
-- Reads: rating_changes.
SELECT count(*) FROM rating_changes;
