-- How complete is an hour, and when did it close?
-- Grain: one row, none where the hour is not known.
-- Reads: hours_completeness.
-- Parameter hour (text): the hour, as 2026-11-03T08
-- Read by: people (edgetoll query).
SELECT
    hour,
    state,
    accepted,
    late,
    missing_edges,
    edges,
    batches,
    proven_events,
    partitions,
    revisions,
    closed_at,
    seconds_to_close,
    imported,
    too_old
FROM hours_completeness
WHERE hour = CAST($hour || ':00' AS TIMESTAMP)

-- Sample:
-- edgetoll query hour_at_a_glance --param hour=2026-11-03T08
-- | hour | state | accepted | late | missing_edges | edges | batches | proven_events | partitions | revisions | closed_at | seconds_to_close | imported | too_old |
-- | --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- | --- |
-- | 2026-11-03 08:00 | closed | 152912 | 0 | [] | 1 | 4 | 152912 | 1 | 0 | 2026-11-03 09:01 | 60 | true | false |
