-- Which hours are open, closed or incomplete, and how much came in time and late.
-- Grain: one row per hour.
-- Owner: metering.
-- Reads: live_hours, lake_imported_files (hours that metering no longer lists).
-- Read by: people (edgetoll sql).
CREATE VIEW hours AS
WITH live AS (
    SELECT
        hour,
        CASE
            WHEN count(*) FILTER (state = 'open') > 0 THEN 'open'
            WHEN count(*) FILTER (state = 'incomplete') > 0 THEN 'incomplete'
            ELSE 'closed'
        END AS state,
        CAST(sum(accepted) AS BIGINT) AS accepted,
        CAST(sum(late) AS BIGINT) AS late,
        list_sort(list_distinct(flatten(list(missing_edges)))) AS missing_edges
    FROM live_hours
    GROUP BY hour
),

newest AS (
    SELECT
        hour,
        partition,
        arg_max(state, revision) AS state,
        arg_max(missing_edges, revision) AS missing_edges,
        sum(requests) AS accepted,
        coalesce(sum(requests) FILTER (revision > 0), 0) AS late
    FROM lake_imported_files
    GROUP BY hour, partition
),

imported AS (
    SELECT
        hour,
        CASE WHEN count(*) FILTER (state = 'incomplete') > 0 THEN 'incomplete' ELSE 'closed' END
            AS state,
        CAST(sum(accepted) AS BIGINT) AS accepted,
        CAST(sum(late) AS BIGINT) AS late,
        list_sort(list_distinct(flatten(list(missing_edges)))) AS missing_edges
    FROM newest
    GROUP BY hour
)

SELECT hour, state, accepted, late, missing_edges
FROM live
UNION ALL
SELECT i.hour, i.state, i.accepted, i.late, i.missing_edges
FROM imported AS i
ANTI JOIN live AS l ON i.hour = l.hour
