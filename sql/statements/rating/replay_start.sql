-- Answers: the earliest moment any account is replayed from.
-- Grain: one row; NULL when none is.
-- Reads: rating_accounts.
SELECT min(replay_from) FROM rating_accounts;
