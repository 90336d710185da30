-- What proves each imported hour: the batches of every edge and epoch in it.
-- Grain: one row per hour, partition, revision, edge and epoch.
-- Owner: metering.
-- Reads: lake_certificates.
-- Read by: people (edgetoll sql).
CREATE VIEW certificates AS
SELECT
    hour,
    partition,
    revision,
    state,
    certificate_sha256,
    edge_id,
    region,
    watermark,
    epoch,
    first_sequence,
    last_sequence,
    batches,
    events,
    gaps
FROM lake_certificates
