-- How complete each hour is and how soon it was: what proves it, who was missing, what came late, when it closed.
-- Grain: one row per hour.
-- Owner: metering (closing), billing (import).
-- Reads: hours, imported_files, certificates.
-- Read by: people (edgetoll sql), sql/queries/completeness_by_hour.sql, sql/queries/late_usage_rate.sql.
CREATE VIEW hours_completeness AS
WITH files AS (
    SELECT
        hour,
        count(DISTINCT partition) AS partitions,
        CAST(max(revision) AS INTEGER) AS revisions,
        min(closed_at) AS closed_at,
        bool_or(too_old) AS too_old
    FROM imported_files
    GROUP BY hour
),

proofs AS (
    SELECT
        hour,
        count(DISTINCT edge_id) AS edges,
        CAST(sum(batches) AS BIGINT) AS batches,
        CAST(sum(events) AS BIGINT) AS proven_events
    FROM certificates
    GROUP BY hour
)

SELECT
    h.hour,
    h.state,
    h.accepted,
    h.late,
    h.missing_edges,
    coalesce(p.edges, 0) AS edges,
    coalesce(p.batches, 0) AS batches,
    coalesce(p.proven_events, 0) AS proven_events,
    coalesce(f.partitions, 0) AS partitions,
    coalesce(f.revisions, 0) AS revisions,
    f.closed_at,
    date_diff('second', h.hour + INTERVAL 1 HOUR, f.closed_at) AS seconds_to_close,
    f.hour IS NOT NULL AS imported,
    coalesce(f.too_old, false) AS too_old
FROM hours AS h
LEFT JOIN files AS f ON h.hour = f.hour
LEFT JOIN proofs AS p ON h.hour = p.hour
