-- Answers: takes decided events into the outbox.
-- Grain: one row per event in effect_events.
-- Reads: effect_events (the record's effect, all text).
INSERT INTO outbox
SELECT event_id, account_id, version::BIGINT, kind, happened_at::TIMESTAMP, body, $journal_no
FROM effect_events;
