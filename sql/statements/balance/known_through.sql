-- Answers: up to when the open hours of this session know usage.
-- Grain: one row, or none; null when no owned domain was used in an open hour.
-- Reads: open_made_from.
SELECT known_through
FROM open_made_from;
