-- Closed hours come in, each file once. What is new is found by identity, must continue its partition's
-- chain, and is read in by the journal record that names it; so a rebuild reads the same bytes again.
-- Files held as too old come in later, by `accept_too_old`.

-- name: imported_identities
-- One row per file imported of the hours in $hours.
SELECT strftime(hour, '%Y-%m-%dT%H') AS hour, partition, revision
FROM imported_files
WHERE hour IN (SELECT CAST(unnest($hours) AS TIMESTAMP));

-- name: newest_certificates
-- One row per partition: where its chain of certificates stands.
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

-- name: home_of_session
-- One row: the home whose closed hours an applier reads.
SELECT getvariable('home') AS home;

-- name: import_list
-- One row per file that one journal record imports.
CREATE OR REPLACE TEMP TABLE import_list AS
SELECT
    CAST(f.hour AS TIMESTAMP) AS hour,
    f.partition,
    f.revision,
    f.data_sha256,
    f.certificate_sha256,
    f.too_old,
    f.path,
    f.certificate
FROM (
    SELECT unnest(from_json(
        CAST($files AS JSON),
        '[{"hour":"VARCHAR","partition":"VARCHAR","revision":"INTEGER","data_sha256":"VARCHAR",'
        || '"certificate_sha256":"VARCHAR","too_old":"BOOLEAN","path":"VARCHAR",'
        || '"certificate":"VARCHAR"}]'
    )) AS f
);

-- name: import_usage
-- One row per bucket × domain × region × class × file, with the account that owns the domain then.
INSERT INTO usage BY NAME
WITH files AS (
    SELECT hour, partition, revision, path FROM import_list
),

rows_read AS (
    SELECT
        f.hour,
        r.bucket,
        f.partition,
        f.revision,
        r.domain,
        r.region,
        r.class,
        r.requests,
        r.bytes_sent,
        r.status_0xx,
        r.status_1xx,
        r.status_2xx,
        r.status_3xx,
        r.status_4xx,
        r.status_5xx,
        r.status_other,
        r.cache_hits
    FROM (
        FROM read_parquet($paths, filename = true, hive_partitioning = false, union_by_name = true)
        UNION ALL BY NAME
        SELECT
            NULL::BIGINT AS status_0xx,
            NULL::BIGINT AS status_1xx,
            NULL::BIGINT AS status_2xx,
            NULL::BIGINT AS status_3xx,
            NULL::BIGINT AS status_4xx,
            NULL::BIGINT AS status_5xx,
            NULL::BIGINT AS status_other,
            NULL::BIGINT AS cache_hits
        WHERE false
    ) AS r
    INNER JOIN files AS f ON r.filename = f.path
)

SELECT
    u.hour,
    u.bucket,
    u.partition,
    u.revision,
    coalesce(exact.account_id, wildcard.account_id) AS account_id,
    u.domain,
    coalesce(u.region, '') AS region,
    u.class,
    u.requests,
    u.bytes_sent,
    CAST($import_no AS BIGINT) AS import_no,
    u.status_0xx,
    u.status_1xx,
    u.status_2xx,
    u.status_3xx,
    u.status_4xx,
    u.status_5xx,
    u.status_other,
    u.cache_hits
FROM rows_read AS u
LEFT JOIN domain_ownership AS exact
    ON u.domain = exact.domain
    AND u.bucket >= exact.effective_from
    AND u.bucket < coalesce(exact.effective_to, TIMESTAMP '9999-12-31')
LEFT JOIN (FROM domain_ownership WHERE domain LIKE '*%') AS wildcard
    ON '*' || substr(u.domain, instr(u.domain, '.')) = wildcard.domain
    AND u.bucket >= wildcard.effective_from
    AND u.bucket < coalesce(wildcard.effective_to, TIMESTAMP '9999-12-31');

-- name: import_totals
-- One row: what an import put into usage, and what its certificates say it is, files whose usage is gone left out.
WITH stored AS (
    SELECT
        count(*) AS rows,
        CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests,
        CAST(coalesce(sum(bytes_sent), 0) AS HUGEINT) AS bytes_sent
    FROM usage
    WHERE import_no = $import_no
),

certified AS (
    SELECT
        CAST(coalesce(sum(CAST(certificate ->> 'rows' AS BIGINT)), 0) AS BIGINT) AS rows,
        CAST(coalesce(sum(CAST(certificate ->> 'requests' AS BIGINT)), 0) AS BIGINT) AS requests,
        CAST(coalesce(sum(CAST(certificate ->> 'bytes_sent' AS BIGINT)), 0) AS HUGEINT)
            AS bytes_sent
    FROM import_list
    WHERE NOT too_old AND path IS NOT NULL
)

SELECT
    s.rows,
    s.requests,
    s.bytes_sent,
    c.rows AS certified_rows,
    c.requests AS certified_requests,
    c.bytes_sent AS certified_bytes
FROM stored AS s
CROSS JOIN certified AS c;

-- name: insert_imported_files
-- One row per file, with what its certificate says.
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

-- name: too_old_files
-- One row per file held because it was too old (FAULTS G11).
SELECT hour, partition, revision, requests
FROM imported_files
WHERE too_old
ORDER BY hour, partition, revision;

-- name: hashes_of_held
-- One row per file held as too old: the hashes under which it was imported.
SELECT
    strftime(hour, '%Y-%m-%dT%H') AS hour,
    partition,
    revision,
    data_sha256,
    certificate_sha256
FROM imported_files
WHERE too_old;

-- name: accept_files
-- The accepted files' import is the record that accepted them.
UPDATE imported_files SET too_old = false, import_no = $import_no
FROM import_list AS l
WHERE
    imported_files.hour = l.hour
    AND imported_files.partition = l.partition
    AND imported_files.revision = l.revision;
