-- What was an account told, and did it arrive?
-- Grain: one row per event × endpoint, the newest first.
-- Reads: deliveries.
-- Parameter account (text): the account, by its id
-- Read by: people (edgetoll query).
SELECT
    happened_at,
    kind,
    endpoint,
    status,
    attempts,
    answer,
    next_at
FROM deliveries
WHERE account_id = $account
ORDER BY happened_at DESC, kind, endpoint

-- Sample:
-- edgetoll query told_to_account --param account=acme
-- | happened_at | kind | endpoint | status | attempts | answer | next_at |
-- | --- | --- | --- | --- | ---: | --- | --- |
-- | 2026-10-06 14:00 | account.suspend_due |  | untried | 0 |  |  |
-- | 2026-10-05 12:00 | account.overdue |  | untried | 0 |  |  |
