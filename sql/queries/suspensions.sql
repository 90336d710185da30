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
