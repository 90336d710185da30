-- Which hours of a month are closed, open or incomplete?
-- Grain: one row per hour that is known.
-- Reads: hours_completeness.
-- Parameter month (month): the month asked about, UTC
-- Chart: heat, hour_of_day, accepted, day
-- Read by: people (edgetoll query).
SELECT
    hour,
    strftime(hour, '%Y-%m-%d') AS day,
    strftime(hour, '%H') AS hour_of_day,
    state,
    accepted,
    late,
    edges,
    missing_edges,
    revisions,
    seconds_to_close
FROM hours_completeness
WHERE strftime(hour, '%Y-%m') = $month
ORDER BY hour

-- Sample:
-- edgetoll query hours_of_month --param month=2026-11
-- | hour | day | hour_of_day | state | accepted | late | edges | missing_edges | revisions | seconds_to_close |
-- | --- | --- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: |
-- | 2026-11-03 08:00 | 2026-11-03 | 08 | closed | 152912 | 0 | 1 | [] | 0 | 60 |
-- | 2026-11-03 09:00 | 2026-11-03 | 09 | closed | 152912 | 0 | 1 | [] | 0 | 60 |
-- | 2026-11-03 10:00 | 2026-11-03 | 10 | incomplete | 3 | 0 | 1 | [] | 0 | 60 |
