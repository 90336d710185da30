-- Answers: forgets the open hours of this session, and remembers which live files the next are made from.
-- Grain: one row.
-- Reads: nothing.
DELETE FROM open_value;
DELETE FROM open_names;
DELETE FROM open_made_from;
