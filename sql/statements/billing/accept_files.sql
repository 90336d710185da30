-- Answers: marks files as accepted by a person; their import is the record that accepted them.
-- Grain: one row per file.
-- Reads: import_list.
UPDATE imported_files SET too_old = false, import_no = $import_no
FROM import_list AS l
WHERE
    imported_files.hour = l.hour
    AND imported_files.partition = l.partition
    AND imported_files.revision = l.revision;
