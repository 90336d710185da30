-- What was not delivered to whom it should have reached?
-- Grain: one row per event × endpoint that did not take it.
-- Reads: deliveries.
-- Read by: people (edgetoll query).
SELECT
    happened_at,
    account_id,
    kind,
    endpoint,
    status,
    attempts,
    answer,
    next_at
FROM deliveries
WHERE status <> 'delivered'
ORDER BY happened_at DESC, event_id, endpoint
