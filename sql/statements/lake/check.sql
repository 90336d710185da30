-- Checking a home: what the billing store knows of the files that stand outside it. Run by
-- billing/commands/compare.py on the billing store.

-- name: taken_in
-- One row per closed-hour file that was imported, with the hash its certificate had, and whether its data was pruned.
SELECT
    hour,
    partition,
    revision,
    certificate_sha256,
    hour < coalesce((SELECT max(hours_before) FROM pruned_usage), TIMESTAMP '1970-01-01') AS pruned
FROM imported_files
ORDER BY hour, partition, revision;

-- name: issued
-- One row per document that was issued: what its file must say.
SELECT month, invoice_no, account_id, total
FROM invoices
ORDER BY month, invoice_no;

-- name: statements
-- One row per account and month of which a statement of account was to be sent: where the newest lies, and what it must be.
SELECT
    account_id,
    body ->> '$.data.month' AS month,
    max_by(body ->> '$.data.file', journal_no) AS file,
    max_by(body ->> '$.data.sha256', journal_no) AS sha256
FROM outbox
WHERE kind = 'document.statement'
GROUP BY account_id, month
ORDER BY month, account_id;

-- name: waiting_accounts
-- One row per account whose past is to be rated again, or is held: its charges are not yet its usage.
SELECT account_id FROM replay_marks
UNION
SELECT account_id FROM rating_held;
