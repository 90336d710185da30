-- Which closed-hour files billing has taken in.
-- Grain: one row per hour, partition and revision.
-- Reads: imported_files, pruned_usage.
-- Read by: sql/views/hours.sql, sql/views/imported_files.sql, sql/macros/percentiles_between.sql.
SELECT
    hour,
    partition,
    revision,
    data_sha256,
    certificate_sha256,
    state,
    rows,
    requests,
    bytes_sent,
    closed_at,
    complete_through,
    too_old,
    import_no,
    hour < coalesce((SELECT max(hours_before) FROM pruned_usage), TIMESTAMP '1970-01-01') AS pruned,
    coalesce(from_json(certificate -> 'missing_edges', '["VARCHAR"]'), []) AS missing_edges
FROM imported_files
ORDER BY hour, partition, revision;
