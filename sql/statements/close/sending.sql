-- Which documents are to be told to whom, and what became of it. Sending itself is the outbox: an event of a document is
-- told once by its id, tried again, and kept in deliveries.
-- Run by billing/close/sending.py and statements.py.

-- name: to_send
-- One row per document that stands, of a month or of one number: where it would go, and how often it was sent before.
WITH void AS (
    SELECT invoice_no
    FROM invoice_events
    GROUP BY invoice_no
    HAVING max_by(status, journal_no) = 'void'
),

told AS (
    SELECT json_extract_string(body, '$.data.invoice_no') AS invoice_no, count(*) AS times
    FROM outbox
    WHERE kind = 'document.issued'
    GROUP BY ALL
)

SELECT
    i.invoice_no,
    i.account_id,
    i.kind,
    i.month,
    i.currency,
    i.digits,
    i.total,
    coalesce(i.prepaid_used, 0) AS prepaid_used,
    i.due_on,
    coalesce(nullif(a.details ->> '$.invoice_email', ''), a.email, '') AS email,
    coalesce(told.times, 0) AS times
FROM invoices AS i
ANTI JOIN void ON i.invoice_no = void.invoice_no
LEFT JOIN accounts AS a ON i.account_id = a.account_id
LEFT JOIN told ON i.invoice_no = told.invoice_no
WHERE
    ($month IS NULL OR i.month = $month) AND ($invoice_no IS NULL OR i.invoice_no = $invoice_no)
    -- A void invoice's credit note goes with it: neither is sent where the invoice never was.
    AND NOT (i.kind = 'credit_note' AND $invoice_no IS NULL AND i.corrects IN (FROM void) AND i.corrects NOT IN (
        SELECT invoice_no FROM told
    ))
ORDER BY i.invoice_no;

-- name: overdue
-- One row per invoice that was due before today and is not paid: what is open of it, and the last step of the ladder
-- that was told.
WITH told AS (
    SELECT
        json_extract_string(body, '$.data.invoice_no') AS invoice_no,
        max(CAST(json_extract_string(body, '$.data.step') AS INTEGER)) AS step
    FROM outbox
    WHERE kind = 'document.reminder'
    GROUP BY ALL
)

SELECT
    t.invoice_no,
    t.account_id,
    t.month,
    t.currency,
    i.digits,
    i.total,
    t.still_open,
    t.due_on,
    coalesce(nullif(a.details ->> '$.invoice_email', ''), a.email, '') AS email,
    coalesce(told.step, 0) AS told_step
FROM invoice_items(NULL::VARCHAR[]) AS t
INNER JOIN invoices AS i ON t.invoice_no = i.invoice_no
LEFT JOIN accounts AS a ON t.account_id = a.account_id
LEFT JOIN told ON t.invoice_no = told.invoice_no
WHERE t.still_open > 0 AND t.due_on < $today::DATE
ORDER BY t.due_on, t.invoice_no;

-- name: statement_readers
-- One row per account, or the one asked for: its time zone, where its statement of account would go, and how often it got
-- that of the month.
WITH told AS (
    SELECT account_id, count(*) AS times
    FROM outbox
    WHERE kind = 'document.statement' AND json_extract_string(body, '$.data.month') = $month
    GROUP BY ALL
)

SELECT
    a.account_id,
    a.timezone,
    coalesce(nullif(a.details ->> '$.invoice_email', ''), a.email, '') AS email,
    coalesce(told.times, 0) AS times
FROM accounts AS a
LEFT JOIN told ON a.account_id = told.account_id
WHERE $account_id IS NULL OR a.account_id = $account_id
ORDER BY a.account_id;

-- name: sent
-- One row per event of documents of this list: what it is about, whether it was told by mail, and with what answer.
SELECT
    coalesce(o.body ->> '$.data.invoice_no', 'statement ' || (o.body ->> '$.data.month')) AS invoice_no,
    o.account_id,
    o.kind,
    coalesce(d.status, 'untried') AS status,
    coalesce(d.answer, '') AS answer
FROM outbox AS o
LEFT JOIN deliveries AS d ON o.event_id = d.event_id AND d.endpoint = 'mail'
WHERE o.event_id IN (SELECT unnest($events::VARCHAR[]))
ORDER BY invoice_no, o.event_id;
