-- Answers: the journal number of the last import.
-- Grain: one row.
-- Reads: imported_files.
SELECT coalesce(max(import_no), 0) FROM imported_files;
