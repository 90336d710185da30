-- Answers: which events must be sent where now, the oldest first, with what a re-check at sending needs.
-- Grain: one row per event and endpoint that is neither delivered, given up, waiting nor switched off.
-- Reads: outbox, endpoints_now (session), deliveries, endpoints_disabled, account_state, accounts.
SELECT
    o.event_id,
    e.endpoint,
    o.account_id,
    o.version,
    o.kind,
    o.body,
    COALESCE(d.attempts, 0) AS attempts,
    d.first_at,
    COALESCE(s.version, 0) AS present_version,
    COALESCE(a.email, '') AS email,
    COALESCE(a.name, '') AS name
FROM outbox AS o
CROSS JOIN endpoints_now AS e
LEFT JOIN deliveries AS d ON o.event_id = d.event_id AND e.endpoint = d.endpoint
LEFT JOIN account_state AS s ON o.account_id = s.account_id
LEFT JOIN accounts AS a ON o.account_id = a.account_id
ANTI JOIN endpoints_disabled AS x ON e.endpoint = x.endpoint
WHERE
    (d.event_id IS NULL AND o.happened_at > $not_before)
    OR (d.status = 'waiting' AND (d.next_at <= $now OR d.next_at > $farthest))
ORDER BY o.journal_no, o.account_id, o.version, o.event_id, e.endpoint
LIMIT $most;
