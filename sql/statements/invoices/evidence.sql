-- Answers: how complete the usage of the month was proved to be, for each time zone.
-- Grain: one row per time zone.
-- Reads: imported_files, invoice_zones. The hash covers the certificates' hashes in order.
CREATE OR REPLACE TEMP TABLE invoice_evidence AS
SELECT
    zones.timezone,
    count(DISTINCT files.hour) AS hours,
    count(DISTINCT files.hour) FILTER (files.state = 'incomplete') AS incomplete_hours,
    count(files.hour) AS certificates,
    sha256(coalesce(
        string_agg(files.certificate_sha256, chr(10) ORDER BY files.hour, files.partition, files.revision), ''
    )) AS certificates_sha256
FROM invoice_zones AS zones
LEFT JOIN imported_files AS files
    ON files.hour < zones.period_end
    AND files.hour + INTERVAL 1 HOUR > zones.period_start
    AND files.import_no <= $import_no
GROUP BY zones.timezone;
