-- Answers: where the event of each account's present state has gone, or waits to go.
-- Grain: one row per account and endpoint that takes it.
-- Reads: account_state, outbox, deliveries.
SELECT
    s.account_id,
    s.version,
    replace(d.endpoint, 'webhook:', '') AS endpoint,
    d.status,
    d.attempts
FROM account_state AS s
INNER JOIN outbox AS o ON s.account_id = o.account_id AND s.version = o.version AND o.kind LIKE 'account.%'
INNER JOIN deliveries AS d ON o.event_id = d.event_id
WHERE
    s.account_id IN (SELECT unnest($accounts))
    AND d.status <> 'superseded'
    AND d.answer NOT LIKE 'not %'
ORDER BY s.account_id, d.endpoint;
