-- Answers: the earliest moment at which any account's past changed.
-- Grain: one row; NULL when none did.
-- Reads: rating_replays.
SELECT min(from_bucket) FROM rating_replays;
