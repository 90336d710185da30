-- Answers: remembers the most recent whole day of one time zone for this session.
-- Grain: one row.
-- Reads: nothing.
INSERT INTO day_bounds VALUES ($timezone, $day_start, $day_end);
