-- How long do accounts stay in a state before they move on, and where to?
-- Grain: one row per state × state after it.
-- Reads: account_state_history.
-- Read by: people (edgetoll query).
SELECT
    h.state,
    n.state AS next_state,
    count(*) AS times,
    min(date_diff('hour', h.since, h.until)) AS hours_min,
    quantile_disc(date_diff('hour', h.since, h.until), 0.5) AS hours_median,
    max(date_diff('hour', h.since, h.until)) AS hours_max
FROM account_state_history AS h
INNER JOIN account_state_history AS n ON h.account_id = n.account_id AND n.version = h.version + 1
GROUP BY h.state, n.state
ORDER BY h.state, n.state

-- Sample:
-- edgetoll query time_in_each_state
-- | state | next_state | times | hours_min | hours_median | hours_max |
-- | --- | --- | ---: | ---: | ---: | ---: |
-- | overdue | suspend_due | 1 | 26 | 26 | 26 |
-- | overdue | suspended | 1 | 26 | 26 | 26 |
-- | suspended | ok | 1 | 639 | 639 | 639 |
