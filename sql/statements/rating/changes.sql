-- Changes: who is rated, on which usage, and whose past has changed since the last run.
-- Two ways, one result (DESIGN §3.7): an account whose past stands only adds its new hours; one whose past changed is replayed.
-- Reads: usage, accounts, rating_marks, replay_marks, rating_held, given_corrections.

-- name: usage_and_subjects
-- Two views: the usage of closed hours, and one row per account with the price book it is rated by.
CREATE OR REPLACE TEMP VIEW rating_usage AS
SELECT account_id, hour, bucket, region, class, requests, bytes_sent, import_no
FROM usage
WHERE account_id IS NOT NULL;
CREATE OR REPLACE TEMP VIEW rating_subjects AS
SELECT
    rowid AS account_key, account_id, currency, timezone, price_book, billing_method, opened_at
FROM accounts;

-- name: last_mark
-- How far rating has come: one row, none before the first run.
SELECT import_no, through, origin, books_sha256
FROM rating_marks
ORDER BY journal_no DESC
LIMIT 1;

-- name: usage_facts
-- One row: the number of the last import and the first hour of usage, NULL when there is none.
SELECT
    (SELECT coalesce(max(import_no), 0) FROM usage) AS last_import,
    (SELECT min(hour) FROM rating_usage WHERE $first AND hour < $through) AS first_hour;

-- name: replays
-- One row per account whose past changed: from when, and why.
CREATE OR REPLACE TEMP TABLE rating_replays AS
WITH found AS (
    SELECT account_id, from_bucket, reason FROM replay_marks WHERE from_bucket < $last_through
    UNION ALL
    SELECT account_id, min(bucket), 'late usage'
    FROM rating_usage
    WHERE import_no > $last_import AND hour < $last_through
    GROUP BY account_id
    UNION ALL
    SELECT account_id, min(hour), 'price found'
    FROM rating_held
    WHERE $retry_held
    GROUP BY account_id
    UNION ALL
    SELECT a.account_id, min(c.effective_from), 'price corrected'
    FROM given_corrections AS c
    JOIN rating_subjects AS a
        ON a.price_book = c.book AND (c.account_id IS NULL OR c.account_id = a.account_id)
    GROUP BY a.account_id
)
SELECT
    account_id, min(from_bucket) AS from_bucket,
    string_agg(DISTINCT reason, ', ' ORDER BY reason) AS reason
FROM found
WHERE account_id IS NOT NULL
GROUP BY account_id;
