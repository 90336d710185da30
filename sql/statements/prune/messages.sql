-- Pruning the texts of messages of months long past: what would go, and taking it out.
-- Run by billing/prune/messages.py. Reads: outbox, deliveries, pruned_messages. Only messages about how accounts and endpoints
-- stand: of documents, alerts and TLS certificates the text says what was told, and is asked for later.

-- name: texts_to_go
-- One row: the messages told before $before whose texts go, and how many bytes these have.
SELECT
    count(*) AS messages,
    CAST(coalesce(sum(strlen(body)), 0) AS BIGINT) AS bytes
FROM outbox
WHERE
    happened_at < $before
    AND body <> ''
    AND (kind LIKE 'account.%' OR kind IN ('accounts.full_state', 'endpoint.disabled'))
    AND event_id NOT IN (SELECT event_id FROM deliveries WHERE status = 'waiting');

-- name: drop_texts
-- The texts go, the messages stay.
UPDATE outbox SET body = ''
WHERE
    happened_at < $before
    AND body <> ''
    AND (kind LIKE 'account.%' OR kind IN ('accounts.full_state', 'endpoint.disabled'))
    AND event_id NOT IN (SELECT event_id FROM deliveries WHERE status = 'waiting');

-- name: note_texts
-- One row says so.
INSERT INTO pruned_messages VALUES ($before, $messages, $journal_no);
