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
-- One row per statement of account that was to be sent: where its file lies, and what it must be.
SELECT o.account_id, o.body ->> '$.data.month' AS month, o.body ->> '$.data.file' AS file, o.body ->> '$.data.sha256' AS sha256
FROM outbox AS o
WHERE o.kind = 'document.statement'
ORDER BY month, file;

-- name: waiting_accounts
-- One row per account whose past is to be rated again, or is held: its charges are not yet its usage.
SELECT account_id FROM replay_marks
UNION
SELECT account_id FROM rating_held;
