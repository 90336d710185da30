-- Answers: events decided, where each has gone or must go, and which endpoints are switched off.
-- Grain: see the line above each statement; an event's id is its identity for all receivers and for ever.
-- Reads: outbox, deliveries, endpoints_disabled, account_state, accounts.

-- name: put_events
-- One row per event in effect_events (all text).
INSERT INTO outbox
SELECT event_id, account_id, version::BIGINT, kind, happened_at::TIMESTAMP, body, $journal_no
FROM effect_events;

-- name: has_event
-- One row: whether the outbox has an event.
SELECT COUNT(*) > 0 AS has_event
FROM outbox
WHERE event_id = $event_id;

-- name: make_endpoints
-- The session's list of the endpoints that the settings name now.
CREATE OR REPLACE TEMP TABLE endpoints_now (endpoint VARCHAR);

-- name: add_endpoint
-- One endpoint.
INSERT INTO endpoints_now VALUES ($endpoint);

-- name: due
-- One row per event and endpoint that is neither delivered, given up, waiting nor switched off, the oldest first,
-- with what a re-check at sending needs. Bodies are read only for records that are due.
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
    COALESCE(s.version, 0) AS current_version,
    COALESCE(
        CASE WHEN o.kind LIKE 'document.%' THEN NULLIF(a.details ->> '$.invoice_email', '') END, a.email, ''
    ) AS email,
    COALESCE(a.name, '') AS name,
    COALESCE(a.timezone, '') AS timezone,
    COALESCE(a.country, '') AS country,
    COALESCE(a.details ->> '$.language', '') AS language,
    COALESCE(a.details ->> '$.seller', '') AS seller_id,
    o.kind = 'account.ok' AND EXISTS (
        SELECT 1
        FROM outbox AS t
        INNER JOIN deliveries AS m ON t.event_id = m.event_id
        WHERE
            t.account_id = o.account_id
            AND t.version < o.version
            AND t.version > (
                SELECT COALESCE(MAX(k.version), 0)
                FROM outbox AS k
                WHERE k.account_id = o.account_id AND k.kind = 'account.ok' AND k.version < o.version
            )
            AND m.endpoint = 'mail'
            AND m.answer LIKE 'mailed to%'
    ) AS mailed_trouble,
    o.kind = 'document.reminder' AND EXISTS (
        SELECT 1
        FROM invoice_events AS v
        WHERE v.invoice_no = json_extract_string(o.body, '$.data.invoice_no')
        GROUP BY v.invoice_no
        HAVING max_by(v.status, v.journal_no) IN ('paid', 'void')
    ) AS is_settled
FROM due AS d
INNER JOIN outbox AS o ON d.journal_no = o.journal_no AND d.event_id = o.event_id
LEFT JOIN account_state AS s ON o.account_id = s.account_id
LEFT JOIN accounts AS a ON o.account_id = a.account_id
ORDER BY o.journal_no, o.account_id, o.version, o.event_id, d.endpoint
LIMIT $most;

-- name: took_since
-- One row: whether a receiver took any message first sent since then (a sent one's answer is its HTTP status).
SELECT COUNT(*) > 0 AS took
FROM deliveries
WHERE endpoint = $endpoint AND status = 'delivered' AND first_at >= $since AND answer SIMILAR TO '2[0-9][0-9]';

-- name: drop_replaced_deliveries
-- How an event stood at an endpoint goes where the same transaction knows better.
DELETE FROM deliveries
WHERE (event_id, endpoint) IN (SELECT (event_id, endpoint) FROM effect_deliveries);

-- name: put_deliveries
-- One row per event and endpoint in effect_deliveries (all text).
INSERT INTO deliveries
SELECT
    event_id, endpoint, status, attempts::INTEGER, first_at::TIMESTAMP, next_at::TIMESTAMP, answer, $journal_no
FROM effect_deliveries;

-- name: disable
-- One endpoint is off until a person enables it.
INSERT INTO endpoints_disabled
SELECT $endpoint, $disabled_at::TIMESTAMP, $reason, $journal_no::BIGINT
WHERE $endpoint NOT IN (SELECT endpoint FROM endpoints_disabled);

-- name: enable
-- One endpoint is on again.
DELETE FROM endpoints_disabled
WHERE endpoint = $endpoint;

-- name: undone
-- One row per endpoint that something has not reached: how much waits and since when, the next try, the last answer,
-- what was given up lately or is an account's current state, and whether it is switched off. Given up no longer counts
-- once the endpoint has taken something newer that tells it: of the same account, or the states of all.
WITH made_good AS (
    SELECT d.event_id, d.endpoint
    FROM deliveries AS d
    INNER JOIN outbox AS o ON d.event_id = o.event_id
    INNER JOIN deliveries AS n ON d.endpoint = n.endpoint AND d.journal_no < n.journal_no
    INNER JOIN outbox AS t ON n.event_id = t.event_id
    WHERE
        d.status = 'given_up'
        AND n.status = 'delivered'
        AND n.answer NOT LIKE 'not %'
        AND (t.kind = 'accounts.full_state' OR t.account_id = o.account_id)
),

missed AS (
    SELECT
        d.endpoint,
        COUNT(*) FILTER (d.status = 'waiting') AS waiting,
        MIN(d.first_at) FILTER (d.status = 'waiting') AS waiting_since,
        MIN(d.next_at) FILTER (d.status = 'waiting') AS next_try,
        COUNT(*) FILTER (d.status = 'given_up') AS given_up,
        arg_max(d.answer, (d.journal_no, d.attempts, d.answer)) FILTER (d.answer NOT LIKE 'put off%') AS cause
    FROM deliveries AS d
    INNER JOIN outbox AS o ON d.event_id = o.event_id
    LEFT JOIN account_state AS s ON o.account_id = s.account_id AND o.version = s.version
    ANTI JOIN made_good ON d.event_id = made_good.event_id AND d.endpoint = made_good.endpoint
    WHERE d.status = 'waiting' OR (d.status = 'given_up' AND (d.first_at > $lately OR s.version > 0))
    GROUP BY d.endpoint
)

SELECT
    COALESCE(m.endpoint, x.endpoint) AS endpoint,
    COALESCE(m.waiting, 0) AS waiting,
    m.waiting_since,
    m.next_try,
    COALESCE(m.given_up, 0) AS given_up,
    COALESCE(m.cause, x.reason, '') AS cause,
    x.disabled_at AS off_since
FROM missed AS m
FULL JOIN endpoints_disabled AS x ON m.endpoint = x.endpoint
ORDER BY ALL;
