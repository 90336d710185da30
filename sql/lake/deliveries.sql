-- What was decided to be told, and how telling it went, endpoint by endpoint. The text of a message is not here.
-- Grain: one row per event × endpoint tried; an event that no endpoint was tried for has one row without endpoint.
-- Reads: outbox, deliveries.
-- Read by: sql/views/deliveries.sql.
SELECT
    o.event_id,
    o.account_id,
    o.kind,
    o.happened_at,
    d.endpoint,
    coalesce(d.status, 'untried') AS status,
    coalesce(d.attempts, 0) AS attempts,
    d.first_at,
    d.next_at,
    d.answer,
    o.version,
    CASE WHEN o.kind LIKE 'document.%'
        THEN coalesce(o.body ->> '$.data.invoice_no', 'statement ' || (o.body ->> '$.data.month'))
    END AS invoice_no
FROM outbox AS o
LEFT JOIN deliveries AS d ON o.event_id = d.event_id
ORDER BY o.happened_at, o.event_id, d.endpoint;
