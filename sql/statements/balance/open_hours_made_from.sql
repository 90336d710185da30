-- Answers: which live files the open hours of this session were made from.
-- Grain: one row, or none.
-- Reads: open_made_from.
SELECT live_files
FROM open_made_from;
