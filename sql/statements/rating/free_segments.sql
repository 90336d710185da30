-- Answers: how many stretches of one quota the longest month has.
-- Grain: one row.
-- Reads: rating_free_work.
SELECT coalesce(max(segment), 0)::BIGINT FROM rating_free_work;
