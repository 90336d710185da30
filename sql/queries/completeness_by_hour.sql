-- Is each hour of a day complete, and how soon was it?
-- Grain: one row per hour.
-- Reads: hours_completeness.
-- Parameter day (day): the day asked about, UTC
-- Chart: bar, hour, accepted
-- Read by: people (edgetoll query).
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

-- Sample:
-- edgetoll query completeness_by_hour --param day=2026-11-03
-- | hour | state | accepted | late | edges | missing_edges | revisions | seconds_to_close | imported |
-- | --- | --- | ---: | ---: | ---: | --- | ---: | ---: | --- |
-- | 2026-11-03 08:00 | closed | 152912 | 0 | 1 | [] | 0 | 60 | true |
-- | 2026-11-03 09:00 | closed | 152912 | 0 | 1 | [] | 0 | 60 | true |
-- | 2026-11-03 10:00 | incomplete | 3 | 0 | 1 | [] | 0 | 60 | true |
