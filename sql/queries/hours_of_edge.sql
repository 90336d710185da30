-- Which hours of a month is an edge proven in, and which does it lack?
-- Grain: one row per hour that the edge is proven in or missing from.
-- Reads: certificates, hours.
-- Parameter month (month): the month asked about, UTC
-- Parameter edge (text): the edge, by its id
-- Chart: heat, hour_of_day, events, day
-- Read by: people (edgetoll query).
WITH proven AS (
    SELECT
        hour,
        max(state) AS state,
        CAST(sum(batches) AS BIGINT) AS batches,
        CAST(sum(events) AS BIGINT) AS events,
        CAST(max(gaps) AS BIGINT) AS gaps
    FROM certificates
    WHERE
        edge_id = $edge
        AND hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY hour
),

missing AS (
    SELECT hour, state
    FROM hours
    WHERE
        list_contains(missing_edges, $edge)
        AND hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
)

SELECT
    coalesce(p.hour, m.hour) AS hour,
    strftime(coalesce(p.hour, m.hour), '%Y-%m-%d') AS day,
    strftime(coalesce(p.hour, m.hour), '%H') AS hour_of_day,
    CASE
        WHEN m.state = 'open' THEN 'waited for'
        WHEN m.hour IS NOT NULL THEN 'missing'
        WHEN p.gaps > 0 THEN 'gaps'
        -- Another edge made the hour incomplete.
        WHEN p.hour IN (SELECT hour FROM hours WHERE len(missing_edges) > 0) THEN 'closed'
        ELSE p.state
    END AS state,
    coalesce(p.batches, 0) AS batches,
    coalesce(p.events, 0) AS events,
    coalesce(p.gaps, 0) AS gaps
FROM proven AS p
FULL JOIN missing AS m ON p.hour = m.hour
ORDER BY hour

-- Sample:
-- edgetoll query hours_of_edge --param month=2026-11 --param edge=edge-1
-- | hour | day | hour_of_day | state | batches | events | gaps |
-- | --- | --- | --- | --- | ---: | ---: | ---: |
-- | 2026-11-03 08:00 | 2026-11-03 | 08 | closed | 4 | 152912 | 0 |
-- | 2026-11-03 09:00 | 2026-11-03 | 09 | closed | 4 | 152912 | 0 |
-- | 2026-11-03 10:00 | 2026-11-03 | 10 | incomplete | 4 | 3 | 0 |
