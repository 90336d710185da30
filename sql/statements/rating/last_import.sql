-- Answers: the number of the last import.
-- Grain: one row.
-- Reads: usage.
SELECT coalesce(max(import_no), 0) FROM usage;
