-- Answers: nothing; empties rating_held before its present content is stored.
-- Grain: all rows.
-- Reads: rating_held.
DELETE FROM rating_held;
