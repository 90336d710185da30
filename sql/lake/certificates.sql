-- What the certificate of each imported hour proves, per edge and epoch.
-- Grain: one row per hour, partition, revision, edge and epoch (no edge: one row with nulls).
-- Reads: imported_files.
-- Read by: sql/views/certificates.sql.
WITH edges AS (
    SELECT
        hour,
        partition,
        revision,
        state,
        certificate_sha256,
        unnest(coalesce(
            nullif(from_json(certificate -> 'edges', '["JSON"]'), []), [NULL]
        )) AS edge
    FROM imported_files
),

epochs AS (
    SELECT
        hour,
        partition,
        revision,
        state,
        certificate_sha256,
        edge,
        unnest(coalesce(
            nullif(from_json(edge -> 'epochs', '["JSON"]'), []), [NULL]
        )) AS epoch
    FROM edges
)

SELECT
    hour,
    partition,
    revision,
    state,
    certificate_sha256,
    edge ->> 'edge_id' AS edge_id,
    edge ->> 'region' AS region,
    edge ->> 'watermark' AS watermark,
    epoch ->> 'epoch' AS epoch,
    CAST(epoch ->> 'first_sequence' AS BIGINT) AS first_sequence,
    CAST(epoch ->> 'last_sequence' AS BIGINT) AS last_sequence,
    CAST(epoch ->> 'batches' AS BIGINT) AS batches,
    CAST(epoch ->> 'events' AS BIGINT) AS events,
    CAST(json_array_length(edge -> 'gaps') AS BIGINT) AS gaps
FROM epochs
ORDER BY hour, partition, revision, edge_id, epoch;
