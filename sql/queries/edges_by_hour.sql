-- Which edges does each hour of a day have the proof of, which are missing, and of which did batches never come?
-- Grain: one row per hour × edge that is proven or missing; edge_number counts the edges of the day, edges is how many.
-- Reads: certificates, hours.
-- Parameter day (text, newest): a day, UTC; newest: the last one of which an hour is known
-- Parameter month (text, all): newest is looked for in this month
-- Parameter edge (text, all): edges with this in their id, or all of them
-- Parameter first (number, 1): the number of the first edge
-- Parameter top (number, 40): of how many edges
-- Chart: heat, hour_of_day, events, edge_id
-- Read by: people (edgetoll query).
WITH asked AS (
    SELECT
        CASE $day
            WHEN 'newest' THEN (
                SELECT max(CAST(hour AS DATE)) FROM hours WHERE $month IN ('all', strftime(hour, '%Y-%m'))
            )
            ELSE CAST($day AS DATE)
        END AS day
),

proven AS (
    SELECT
        hour,
        edge_id,
        max(state) AS state,
        CAST(sum(batches) AS BIGINT) AS batches,
        CAST(sum(events) AS BIGINT) AS events,
        CAST(max(gaps) AS BIGINT) AS gaps,
        max(revision) AS revisions
    FROM certificates
    WHERE hour >= (SELECT day FROM asked) AND hour < (SELECT day FROM asked) + INTERVAL 1 DAY AND edge_id IS NOT NULL
    GROUP BY hour, edge_id
),

missing AS (
    SELECT hour, unnest(missing_edges) AS edge_id, state
    FROM hours
    WHERE hour >= (SELECT day FROM asked) AND hour < (SELECT day FROM asked) + INTERVAL 1 DAY
),

found AS (
    SELECT
        coalesce(p.hour, m.hour) AS hour,
        coalesce(p.edge_id, m.edge_id) AS edge_id,
        CASE
            WHEN m.state = 'open' THEN 'waited for'
            WHEN m.edge_id IS NOT NULL THEN 'missing'
            WHEN p.gaps > 0 THEN 'gaps'
            -- Another edge made the hour incomplete.
            WHEN p.hour IN (SELECT hour FROM missing) THEN 'closed'
            ELSE p.state
        END AS state,
        coalesce(p.batches, 0) AS batches,
        coalesce(p.events, 0) AS events,
        coalesce(p.gaps, 0) AS gaps,
        coalesce(p.revisions, 0) AS revisions
    FROM proven AS p
    FULL JOIN missing AS m ON p.hour = m.hour AND p.edge_id = m.edge_id
),

numbered AS (
    SELECT
        *,
        dense_rank() OVER (ORDER BY edge_id) AS edge_number
    FROM found
    WHERE $edge = 'all' OR contains(lower(edge_id), lower($edge))
)

SELECT
    hour,
    strftime(hour, '%H') AS hour_of_day,
    edge_id,
    state,
    batches,
    events,
    gaps,
    revisions,
    edge_number,
    (SELECT max(edge_number) FROM numbered) AS edges
FROM numbered
WHERE edge_number >= $first AND edge_number < $first + $top
ORDER BY hour, edge_id

-- Sample:
-- edgetoll query edges_by_hour --param day=2026-11-03 --param month=2026-11 --param edge=edge-1
-- | hour | hour_of_day | edge_id | state | batches | events | gaps | revisions | edge_number | edges |
-- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
-- | 2026-11-03 08:00 | 08 | edge-1 | closed | 4 | 152912 | 0 | 0 | 1 | 1 |
-- | 2026-11-03 09:00 | 09 | edge-1 | closed | 4 | 152912 | 0 | 0 | 1 | 1 |
-- | 2026-11-03 10:00 | 10 | edge-1 | incomplete | 4 | 3 | 0 | 0 | 1 | 1 |
