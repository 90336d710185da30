-- Answers: whether the outbox has an event.
-- Grain: one row.
-- Reads: outbox.
SELECT COUNT(*) > 0
FROM outbox
WHERE event_id = $event_id;
