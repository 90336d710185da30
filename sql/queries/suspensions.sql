-- Who was suspended, why, and for how long?
-- Grain: one row per suspension, and per release of what was configured.
-- Reads: account_state_history.
-- Read by: people (edgetoll query).
SELECT
    account_id,
    state,
    since,
    until,
    date_diff('hour', since, coalesce(until, CAST(now() AS TIMESTAMP))) AS hours,
    until IS NULL AS still,
    reason,
    decided_by
FROM account_state_history
WHERE state IN ('suspended', 'released')
ORDER BY since DESC, account_id

-- Sample:
-- edgetoll query suspensions
-- | account_id | state | since | until | hours | still | reason | decided_by |
-- | --- | --- | --- | --- | ---: | --- | --- | --- |
-- | beta | suspended | 2026-10-06 14:00 | 2026-11-02 05:00 | 639 | false | below zero for longer than the grace of 24 h |  |
