-- Answers: remembers which live files the open hours of this session were made from.
-- Grain: one row.
-- Reads: nothing.
INSERT INTO open_made_from VALUES ($live_files);
