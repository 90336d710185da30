-- What was not counted, from where, and why?
-- Grain: one row per reason × edge or source.
-- Reads: quarantine.
-- Chart: bar, source, records, reason
-- Read by: people (edgetoll query).
SELECT
    reason,
    source,
    records,
    first_seen,
    last_seen
FROM quarantine
ORDER BY records DESC, reason, source

-- Sample:
-- edgetoll query records_in_quarantine
-- | reason | source | records | first_seen | last_seen |
-- | --- | --- | ---: | --- | --- |
