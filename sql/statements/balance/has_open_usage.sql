-- Answers: whether any owned domain was used in an open hour.
-- Grain: one row.
-- Reads: open_usage.
SELECT COUNT(*) > 0
FROM open_usage;
