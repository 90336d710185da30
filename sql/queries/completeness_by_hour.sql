-- Is each hour of a day complete, and how soon was it?
-- Grain: one row per hour.
-- Reads: hours_completeness.
-- Read by: people (edgetoll query).
-- Parameter day (day): the day asked about, UTC
-- Chart: bar, hour, accepted
SELECT
    hour,
    state,
    accepted,
    late,
    edges,
    missing_edges,
    revisions,
    seconds_to_close,
    imported
FROM hours_completeness
WHERE CAST(hour AS DATE) = $day
ORDER BY hour
