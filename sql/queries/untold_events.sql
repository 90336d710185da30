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

-- Sample:
-- edgetoll query untold_events
-- | happened_at | account_id | kind | endpoint | status | attempts | answer | next_at |
-- | --- | --- | --- | --- | --- | ---: | --- | --- |
-- | 2026-11-02 05:00 | beta | account.resumed |  | untried | 0 |  |  |
-- | 2026-10-06 14:00 | beta | account.suspended |  | untried | 0 |  |  |
-- | 2026-10-06 14:00 | acme | account.suspend_due |  | untried | 0 |  |  |
-- | 2026-10-05 12:00 | acme | account.overdue |  | untried | 0 |  |  |
-- | 2026-10-05 12:00 | beta | account.overdue |  | untried | 0 |  |  |
