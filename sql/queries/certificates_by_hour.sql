-- What proves each hour of a day?
-- Grain: one row per hour × edge.
-- Reads: certificates.
-- Parameter day (day): the day asked about, UTC
-- Chart: heat, hour, events, edge_id
-- Read by: people (edgetoll query).
SELECT
    hour,
    edge_id,
    region,
    any_value(state) AS state,
    max(revision) AS revision,
    count(DISTINCT epoch) AS epochs,
    CAST(sum(batches) AS BIGINT) AS batches,
    CAST(sum(events) AS BIGINT) AS events,
    max(watermark) AS watermark
FROM certificates
WHERE CAST(hour AS DATE) = $day AND edge_id IS NOT NULL
GROUP BY hour, edge_id, region
ORDER BY hour, edge_id

-- Sample:
-- edgetoll query certificates_by_hour --param day=2026-11-03
-- | hour | edge_id | region | state | revision | epochs | batches | events | watermark |
-- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
-- | 2026-11-03 08:00 | edge-1 | DE | closed | 0 | 1 | 4 | 152912 |  |
-- | 2026-11-03 09:00 | edge-1 | DE | closed | 0 | 1 | 4 | 152912 |  |
-- | 2026-11-03 10:00 | edge-1 | DE | incomplete | 0 | 1 | 4 | 3 |  |
