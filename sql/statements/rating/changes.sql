-- Changes: who is rated, on which usage, and whose past has changed since the last run.
-- Two ways, one result (DESIGN §3.7): an account whose past stands only adds its new hours; one whose past changed is replayed.
-- Reads: usage, accounts, account_versions, rating_marks, replay_marks, rating_held, given_corrections.

-- name: usage_and_subjects
-- Views: the usage of closed hours, and one row per account with the price book it is rated by and the moments from
-- and until which its fees are due. Accounts stored before openings were kept have 2000-01-01: they pay from the first hour
-- ever rated (rating_origin), as they did.
CREATE OR REPLACE TEMP VIEW rating_usage AS
SELECT account_id, hour, bucket, region, class, requests, bytes_sent, import_no
FROM usage
WHERE account_id IS NOT NULL;
CREATE OR REPLACE TEMP VIEW rating_stored_subjects AS
SELECT
    rowid AS account_key, account_id, currency, timezone, price_book, billing_method, opened_at,
    CASE
        WHEN opened_at <= TIMESTAMP '2000-01-01' THEN getvariable('rating_origin')::TIMESTAMP
        ELSE time_bucket(INTERVAL 5 MINUTE, opened_at)
    END AS opens_at,
    coalesce(time_bucket(INTERVAL 5 MINUTE, closed_at), TIMESTAMP '9999-01-01') AS closes_at
FROM accounts;
CREATE OR REPLACE TEMP VIEW rating_subjects AS FROM rating_stored_subjects;

-- name: last_mark
-- How far rating has come: one row, none before the first run.
SELECT import_no, through, origin, books_sha256, journal_no
FROM rating_marks
ORDER BY journal_no DESC
LIMIT 1;

-- name: usage_facts
-- One row: the number of the last import and the first hour of usage, NULL when there is none.
SELECT
    (SELECT coalesce(max(import_no), 0) FROM usage) AS last_import,
    (SELECT min(hour) FROM rating_usage WHERE $first AND hour < $through) AS first_hour;

-- name: origin
-- The first hour ever rated, for this session.
SET VARIABLE rating_origin = $origin;

-- name: replays
-- One row per account whose past changed: from when, and why. An account that no run has seen is replayed from its
-- opening, so that it pays the same fees as one that was loaded before them (DOMAIN §10.14).
CREATE OR REPLACE TEMP TABLE rating_replays AS
WITH fresh AS (
    SELECT DISTINCT account_id FROM account_versions
    WHERE journal_no > $journal_no OR effective_from >= $last_through
), seen AS (
    SELECT DISTINCT v.account_id
    FROM account_versions AS v
    SEMI JOIN fresh AS f ON f.account_id = v.account_id
    WHERE v.journal_no <= $journal_no AND v.effective_from < $last_through
), unseen AS (
    SELECT s.account_id, s.opens_at
    FROM rating_subjects AS s
    SEMI JOIN fresh AS f ON f.account_id = s.account_id
    ANTI JOIN seen AS v ON v.account_id = s.account_id
    WHERE s.opens_at < $last_through
), found AS (
    SELECT account_id, from_bucket, reason FROM replay_marks WHERE from_bucket < $last_through
    UNION ALL
    SELECT account_id, opens_at, 'account opened' FROM unseen
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
