-- Which hours closed without an edge, or wait for one?
-- Grain: one row per hour of the month that is not closed.
-- Reads: hours_completeness.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, UTC
SELECT
    hour,
    state,
    accepted,
    missing_edges,
    imported
FROM hours_completeness
WHERE strftime(hour, '%Y-%m') = $month AND state <> 'closed'
ORDER BY hour
