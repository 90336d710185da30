-- What proves an hour: which batches of which edges, in which file?
-- Grain: one row per partition × revision × edge × epoch.
-- Reads: certificates.
-- Parameter hour (text): the hour, as 2026-11-03T08
-- Read by: people (edgetoll query).
SELECT
    partition,
    revision,
    state,
    edge_id,
    region,
    watermark,
    epoch,
    first_sequence,
    last_sequence,
    batches,
    events,
    certificate_sha256
FROM certificates
WHERE hour = CAST($hour || ':00' AS TIMESTAMP)
ORDER BY partition, revision, edge_id, epoch

-- Sample:
-- edgetoll query evidence_of_hour --param hour=2026-11-03T08
-- | partition | revision | state | edge_id | region | watermark | epoch | first_sequence | last_sequence | batches | events | certificate_sha256 |
-- | --- | ---: | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
-- | spool | 0 | closed | edge-1 | DE |  | 1 | 0 | 3 | 4 | 152912 | 2e0e8de5d27c0ae0af6264e11313826240f497b83743ed39a7d044d2198c6f00 |
