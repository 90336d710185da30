-- Answers: usage of the hours still open, by the account that owns the domain (exact name, else wildcard).
-- Grain: open_names: one row per bucket × account × domain × region × class of hours not imported yet; unowned
-- domains are left out. open_usage, which rating prices: the same without domain.
-- Reads: live_files (HOME/live/partition=*.parquet with filename), imported_files, domain_ownership.
INSERT INTO open_names
WITH live AS (
    SELECT
        *,
        date_trunc('hour', bucket) AS hour,
        regexp_extract(filename, 'partition=([^/]*)\.parquet$', 1) AS partition
    FROM live_files
),

still_open AS (
    SELECT l.*
    FROM live AS l
    ANTI JOIN imported_files AS i ON l.hour = i.hour AND l.partition = i.partition
    WHERE l.domain IS NOT NULL
),

owned AS (
    SELECT
        COALESCE(exact.account_id, wild.account_id) AS account_id,
        o.domain,
        o.bucket,
        o.region,
        o.class,
        o.requests,
        o.bytes_sent
    FROM still_open AS o
    LEFT JOIN domain_ownership AS exact
        ON
            o.domain = exact.domain
            AND o.bucket >= exact.effective_from
            AND (exact.effective_to IS NULL OR o.bucket < exact.effective_to)
    LEFT JOIN domain_ownership AS wild
        ON
            wild.domain = '*' || substr(o.domain, instr(o.domain, '.'))
            AND o.bucket >= wild.effective_from
            AND (wild.effective_to IS NULL OR o.bucket < wild.effective_to)
)

SELECT
    account_id,
    domain,
    bucket,
    region,
    class,
    CAST(SUM(requests) AS BIGINT) AS requests,
    CAST(SUM(bytes_sent) AS BIGINT) AS bytes_sent
FROM owned
WHERE account_id IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE open_usage AS
SELECT
    account_id,
    bucket,
    region,
    class,
    CAST(SUM(requests) AS BIGINT) AS requests,
    CAST(SUM(bytes_sent) AS BIGINT) AS bytes_sent
FROM open_names
GROUP BY ALL;
