-- Answers: which imported files are held back because they were too old (FAULTS G11).
-- Grain: one row per file.
-- Reads: imported_files.
SELECT hour, partition, revision, requests
FROM imported_files
WHERE too_old
ORDER BY hour, partition, revision;
