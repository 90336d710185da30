-- Answers: the certificates of the hours behind one invoice line, as metering wrote them.
-- Grain: one row per closed file (hour × partition × revision).
-- Reads: imported_files, explained_periods.
WITH hours AS (
    SELECT DISTINCT unnest(generate_series(
        date_trunc('hour', period_start), period_end - INTERVAL 1 MICROSECOND, INTERVAL 1 HOUR
    )) AS hour
    FROM explained_periods
)

SELECT
    files.hour,
    files.partition,
    files.revision,
    files.state,
    files.certificate_sha256,
    files.certificate
FROM imported_files AS files
INNER JOIN hours ON files.hour = hours.hour
ORDER BY files.hour, files.partition, files.revision;
