-- Answers: stores which files one journal record imported, and what their certificates say.
-- Grain: one row per file.
-- Reads: import_list.
INSERT INTO imported_files BY NAME
SELECT
    hour,
    partition,
    revision,
    data_sha256,
    certificate_sha256,
    CAST(certificate ->> 'number' AS BIGINT) AS certificate_number,
    certificate ->> 'state' AS state,
    CAST(certificate ->> 'rows' AS BIGINT) AS rows,
    CAST(certificate ->> 'requests' AS BIGINT) AS requests,
    CAST(certificate ->> 'bytes_sent' AS BIGINT) AS bytes_sent,
    CAST(certificate ->> 'closed_at' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS closed_at,
    strptime(certificate ->> 'complete_through', '%Y-%m-%dT%H') AS complete_through,
    too_old,
    certificate,
    CAST($import_no AS BIGINT) AS import_no
FROM import_list;
