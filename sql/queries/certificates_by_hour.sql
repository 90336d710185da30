-- What proves each hour of a day?
-- Grain: one row per hour × edge.
-- Reads: certificates.
-- Read by: people (edgetoll query).
-- Parameter day (day): the day asked about, UTC
-- Chart: heat, hour, events, edge_id
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
