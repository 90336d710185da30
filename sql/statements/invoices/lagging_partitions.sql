-- Answers: up to where each partition's hours are closed, as far as billing took them in.
-- Grain: one row per partition; complete_through is exclusive, NULL when nothing is whole yet.
-- Reads: imported_files.
SELECT
    partition,
    max_by(complete_through, certificate_number) AS complete_through
FROM imported_files
GROUP BY partition
ORDER BY partition;
