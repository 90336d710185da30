-- Answers: the hashes under which a closed-hour file was imported.
-- Grain: one row.
-- Reads: imported_files.
SELECT data_sha256, certificate_sha256
FROM imported_files
WHERE hour = CAST($hour AS TIMESTAMP) AND partition = $partition AND revision = $revision;
