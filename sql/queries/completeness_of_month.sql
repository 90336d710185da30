-- How complete is the month?
-- Grain: one row.
-- Reads: hours_completeness.
-- Parameter month (month): the month asked about, UTC
-- Read by: people (edgetoll query).
SELECT
    count(*) AS hours_known,
    24 * day(last_day(CAST($month || '-01' AS DATE))) AS hours_of_month,
    count(*) FILTER (WHERE state = 'closed') AS hours_closed,
    count(*) FILTER (WHERE state = 'incomplete') AS hours_incomplete,
    CAST(coalesce(sum(accepted), 0) AS BIGINT) AS accepted,
    CAST(coalesce(sum(late), 0) AS BIGINT) AS late
FROM hours_completeness
WHERE strftime(hour, '%Y-%m') = $month

-- Sample:
-- edgetoll query completeness_of_month --param month=2026-11
-- | hours_known | hours_of_month | hours_closed | hours_incomplete | accepted | late |
-- | ---: | ---: | ---: | ---: | ---: | ---: |
-- | 3 | 720 | 2 | 1 | 305827 | 0 |
