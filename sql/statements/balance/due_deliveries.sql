-- Answers: which events must be sent where now, the oldest first, with what a re-check at sending needs.
-- Grain: one row per event and endpoint that is neither delivered, given up, waiting nor switched off.
-- Reads: outbox (bodies only of the records that are due), endpoints_now (session), deliveries, endpoints_disabled,
-- account_state, accounts.
WITH endpoints AS (
    SELECT e.endpoint
    FROM endpoints_now AS e
    ANTI JOIN endpoints_disabled AS x ON e.endpoint = x.endpoint
),

due AS (
    SELECT o.event_id, o.journal_no, e.endpoint, 0 AS attempts, NULL::TIMESTAMP AS first_at
    FROM (SELECT event_id, journal_no FROM outbox WHERE happened_at > $not_before) AS o
    CROSS JOIN endpoints AS e
    ANTI JOIN deliveries AS d ON o.event_id = d.event_id AND e.endpoint = d.endpoint
    UNION ALL
    SELECT o.event_id, o.journal_no, e.endpoint, d.attempts, d.first_at
    FROM deliveries AS d
    INNER JOIN endpoints AS e ON d.endpoint = e.endpoint
    INNER JOIN outbox AS o ON d.event_id = o.event_id
    WHERE d.status = 'waiting' AND (d.next_at <= $now OR d.next_at > $farthest)
)

SELECT
    o.event_id,
    d.endpoint,
    o.account_id,
    o.version,
    o.kind,
    o.body,
    d.attempts,
    d.first_at,
    COALESCE(s.version, 0) AS present_version,
    COALESCE(a.email, '') AS email,
    COALESCE(a.name, '') AS name
FROM due AS d
INNER JOIN outbox AS o ON d.journal_no = o.journal_no AND d.event_id = o.event_id
LEFT JOIN account_state AS s ON o.account_id = s.account_id
LEFT JOIN accounts AS a ON o.account_id = a.account_id
ORDER BY o.journal_no, o.account_id, o.version, o.event_id, d.endpoint
LIMIT $most;
