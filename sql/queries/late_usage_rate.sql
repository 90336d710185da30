-- How much usage came after its hour was closed?
-- Grain: one row per day (UTC).
-- Reads: hours_completeness.
-- Parameter month (month): the month asked about, UTC
-- Chart: line, day, late_per_million
-- Read by: people (edgetoll query).
SELECT
    CAST(hour AS DATE) AS day,
    CAST(sum(accepted) AS BIGINT) AS accepted,
    CAST(sum(late) AS BIGINT) AS late,
    CAST(1000000 * sum(late) // nullif(sum(accepted), 0) AS BIGINT) AS late_per_million,
    count(*) FILTER (WHERE revisions > 0) AS hours_revised
FROM hours_completeness
WHERE strftime(hour, '%Y-%m') = $month
GROUP BY day
ORDER BY day

-- Sample:
-- edgetoll query late_usage_rate --param month=2026-11
-- | day | accepted | late | late_per_million | hours_revised |
-- | --- | ---: | ---: | ---: | ---: |
-- | 2026-11-03 | 305827 | 0 | 0 | 0 |
