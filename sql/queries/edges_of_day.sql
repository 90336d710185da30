-- Which edges does each hour of a day have the proof of, and which are missing?
-- Grain: one row per hour × edge that is proven or missing.
-- Reads: certificates, hours.
-- Parameter day (day): the day asked about, UTC
-- Chart: heat, hour_of_day, events, edge_id
-- Read by: people (edgetoll query).
WITH proven AS (
    SELECT
        hour,
        edge_id,
        max(state) AS state,
        CAST(sum(batches) AS BIGINT) AS batches,
        CAST(sum(events) AS BIGINT) AS events,
        max(revision) AS revisions
    FROM certificates
    WHERE CAST(hour AS DATE) = $day
    GROUP BY hour, edge_id
),

missing AS (
    SELECT hour, unnest(missing_edges) AS edge_id, state
    FROM hours
    WHERE CAST(hour AS DATE) = $day
)

SELECT
    coalesce(p.hour, m.hour) AS hour,
    strftime(coalesce(p.hour, m.hour), '%H') AS hour_of_day,
    coalesce(p.edge_id, m.edge_id) AS edge_id,
    CASE
        WHEN m.edge_id IS NULL THEN p.state
        WHEN m.state = 'open' THEN 'waited for'
        ELSE 'missing'
    END AS state,
    coalesce(p.batches, 0) AS batches,
    coalesce(p.events, 0) AS events,
    coalesce(p.revisions, 0) AS revisions
FROM proven AS p
FULL JOIN missing AS m ON p.hour = m.hour AND p.edge_id = m.edge_id
ORDER BY hour, edge_id

-- Sample:
-- edgetoll query edges_of_day --param day=2026-11-03
-- | hour | hour_of_day | edge_id | state | batches | events | revisions |
-- | --- | --- | --- | --- | ---: | ---: | ---: |
-- | 2026-11-03 08:00 | 08 | edge-1 | closed | 4 | 152912 | 0 |
-- | 2026-11-03 09:00 | 09 | edge-1 | closed | 4 | 152912 | 0 |
-- | 2026-11-03 10:00 | 10 | edge-1 | incomplete | 4 | 3 | 0 |
