-- What if: the same statements over other usage or other books; nothing is posted (billing.rating.simulate, engine.project).
-- Pricing ahead takes the hours still open on top of the months so far; a simulation replays a month for everyone on another book.
-- Reads: open_usage (made by the caller), accounts, given_what_if (book now, book tried), charges, rating_*.

-- name: projected_accounts
-- One row per account whose open hours are priced ($accounts; NULL: every one).
CREATE OR REPLACE TEMP TABLE projected_accounts AS
SELECT account_id
FROM accounts
WHERE $accounts::VARCHAR[] IS NULL OR account_id IN (SELECT unnest($accounts::VARCHAR[]));

-- name: no_open_usage
-- No usage of open hours.
CREATE OR REPLACE TEMP TABLE open_usage (
    account_id VARCHAR, bucket TIMESTAMP, region VARCHAR, class VARCHAR, requests BIGINT, bytes_sent BIGINT
);

-- name: open_usage
-- The usage of open hours in place of the store's, the accounts asked for, and none whose past changed.
CREATE OR REPLACE TEMP VIEW rating_usage AS
SELECT
    account_id, date_trunc('hour', bucket) AS hour, bucket, region, class, requests, bytes_sent,
    0::BIGINT AS import_no
FROM open_usage
WHERE account_id IS NOT NULL;
CREATE OR REPLACE TEMP VIEW rating_subjects AS
FROM rating_stored_subjects
WHERE account_id IN (SELECT account_id FROM projected_accounts);
CREATE OR REPLACE TEMP TABLE rating_replays (
    account_id VARCHAR, from_bucket TIMESTAMP, reason VARCHAR
);

-- name: projection
-- One row per account × currency: what open usage would add to its charges.
CREATE OR REPLACE TEMP TABLE rating_projection AS
SELECT account_id, currency, sum(amount) AS amount
FROM rating_should_cost
GROUP BY account_id, currency;

-- name: settling
-- One row per account × month × item × region × rate card × term: what it is still to be charged if nothing more is used.
CREATE OR REPLACE TEMP TABLE rating_settling AS
SELECT account_id, month, item, region, rate_card, term, sum(amount) AS amount
FROM rating_should_cost
GROUP BY ALL
HAVING sum(amount) <> 0;

-- name: books_in_use
-- One row per price book × currency that accounts have.
SELECT DISTINCT price_book AS book, currency FROM accounts ORDER BY ALL;

-- name: tried_subjects
-- One row per account whose book is tried another way, under the book that is tried.
CREATE OR REPLACE TEMP VIEW rating_subjects AS
SELECT a.* REPLACE (w.tried AS price_book)
FROM rating_stored_subjects AS a
JOIN given_what_if AS w ON w.book = a.price_book;

-- name: replay_everyone
-- One row per account, to be rated anew from a time on.
CREATE OR REPLACE TEMP TABLE rating_replays AS
SELECT account_id, $since::TIMESTAMP AS from_bucket, 'what-if' AS reason FROM rating_subjects;

-- name: amounts
-- One row per account × item × term: what the month has cost, and what it would cost.
WITH amounts AS (
    SELECT c.account_id, c.item, c.term, c.currency, c.amount AS charged, 0::HUGEINT AS tried
    FROM charges AS c
    SEMI JOIN rating_subjects AS s ON s.account_id = c.account_id
    WHERE c.month = $month
    UNION ALL
    SELECT account_id, item, term, currency, 0, amount FROM rating_should_cost
    WHERE month = $month
)
SELECT
    account_id, item, term, currency, sum(charged)::DECIMAL(38, 0) AS charged,
    sum(tried)::DECIMAL(38, 0) AS tried
FROM amounts
GROUP BY account_id, item, term, currency
ORDER BY account_id, item, term = 'usage' DESC, term;

-- name: held_in_month
-- One row per account × hour of the month that would have no price.
SELECT a.account_id, n.hour, n.problem, n.hint
FROM rating_held_now AS n
JOIN rating_accounts AS a ON a.account_key = n.account_key
JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = $month
WHERE n.hour >= m.starts_at - INTERVAL 1 HOUR AND n.hour < m.ends_at
ORDER BY n.hour, a.account_id;
