-- The usage of every imported file is what its certificate says, too old files being left out.
-- Grain: one row per file that differs.
-- Reads: imported_files, usage, pruned_usage (its hours are left out).
-- Read by: billing/checks/invariants.py.
WITH stored AS (
    SELECT
        hour,
        partition,
        revision,
        count(*) AS rows,
        sum(requests) AS requests,
        sum(bytes_sent) AS bytes_sent
    FROM usage
    WHERE import_no > $after
    GROUP BY hour, partition, revision
),

stated AS (
    SELECT hour, partition, revision, rows, requests, bytes_sent
    FROM imported_files
    WHERE
        import_no > $after
        AND NOT too_old
        AND hour >= coalesce((SELECT max(hours_before) FROM pruned_usage), TIMESTAMP '1970-01-01')
)

SELECT
    coalesce(f.hour, s.hour) AS hour,
    coalesce(f.partition, s.partition) AS partition,
    coalesce(f.revision, s.revision) AS revision,
    f.requests AS stated,
    s.requests AS stored
FROM stated AS f
FULL JOIN stored AS s
    ON f.hour = s.hour AND f.partition = s.partition AND f.revision = s.revision
WHERE
    coalesce(s.rows, 0) IS DISTINCT FROM f.rows
    OR coalesce(s.requests, 0) IS DISTINCT FROM f.requests
    OR coalesce(s.bytes_sent, 0) IS DISTINCT FROM f.bytes_sent;
