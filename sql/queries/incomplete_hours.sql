-- Which hours closed without an edge, or wait for one?
-- Grain: one row per hour of the month that is not closed.
-- Reads: hours_completeness.
-- Parameter month (month): the month asked about, UTC
-- Read by: people (edgetoll query).
SELECT
    hour,
    state,
    accepted,
    missing_edges,
    imported
FROM hours_completeness
WHERE strftime(hour, '%Y-%m') = $month AND state <> 'closed'
ORDER BY hour

-- Sample:
-- edgetoll query incomplete_hours --param month=2026-11
-- | hour | state | accepted | missing_edges | imported |
-- | --- | --- | ---: | --- | --- |
-- | 2026-11-03 10:00 | incomplete | 3 | [] | true |
