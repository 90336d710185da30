-- Answers: rows and requests that the certificates of one import name, too old files left out.
-- Grain: one row.
-- Reads: import_list.
SELECT
    CAST(coalesce(sum(CAST(certificate ->> 'rows' AS BIGINT)), 0) AS BIGINT) AS rows,
    CAST(coalesce(sum(CAST(certificate ->> 'requests' AS BIGINT)), 0) AS BIGINT) AS requests,
    CAST(coalesce(sum(CAST(certificate ->> 'bytes_sent' AS BIGINT)), 0) AS HUGEINT) AS bytes_sent
FROM import_list
WHERE NOT too_old;
