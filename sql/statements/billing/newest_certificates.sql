-- Answers: where each partition's chain of certificates stands.
-- Grain: one row per partition.
-- Reads: imported_files.
SELECT
    partition,
    max(certificate_number) AS certificate_number,
    arg_max(certificate_sha256, certificate_number) AS certificate_sha256,
    coalesce(
        arg_max(complete_through, certificate_number),
        max(hour) + INTERVAL 1 HOUR
    ) AS complete_through
FROM imported_files
GROUP BY partition
ORDER BY partition;
