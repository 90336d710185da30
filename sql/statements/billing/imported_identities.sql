-- Answers: which closed-hour files are imported, for an import to skip them.
-- Grain: one row per file.
-- Reads: imported_files.
SELECT strftime(hour, '%Y-%m-%dT%H') AS hour, partition, revision FROM imported_files;
