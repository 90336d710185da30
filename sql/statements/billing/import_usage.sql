-- Answers: takes the usage of closed-hour files in, each row with the account that owns its domain then:
-- exact name, else one-level wildcard, else nobody (DOMAIN §9.4).
-- Grain: one row per bucket × domain × region × class × file.
-- Reads: the files named in $paths, import_list, domain_ownership.
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
        r.bytes_sent
    FROM read_parquet(
        $paths, filename = true, hive_partitioning = false, union_by_name = true
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
    CAST($import_no AS BIGINT) AS import_no
FROM rows_read AS u
LEFT JOIN domain_ownership AS exact
    ON u.domain = exact.domain
    AND u.bucket >= exact.effective_from
    AND u.bucket < coalesce(exact.effective_to, TIMESTAMP '9999-12-31')
LEFT JOIN domain_ownership AS wildcard
    ON '*' || substr(u.domain, instr(u.domain, '.')) = wildcard.domain
    AND u.bucket >= wildcard.effective_from
    AND u.bucket < coalesce(wildcard.effective_to, TIMESTAMP '9999-12-31');
