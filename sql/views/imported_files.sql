-- The closed-hour files that billing has taken in.
-- Grain: one row per hour, partition and revision.
-- Owner: billing/runs.
-- Reads: lake_imported_files.
-- Read by: people (edgetoll sql).
CREATE VIEW imported_files AS
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
    pruned,
    missing_edges
FROM lake_imported_files
