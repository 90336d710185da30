-- Answers: rows and requests that one import put into usage, to be held against its certificates.
-- Grain: one row.
-- Reads: usage.
SELECT
    count(*) AS rows,
    CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests,
    CAST(coalesce(sum(bytes_sent), 0) AS HUGEINT) AS bytes_sent
FROM usage
WHERE import_no = $import_no;
