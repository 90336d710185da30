-- Answers: what the hours still open hold and will cost: live usage of owned domains, priced by rating itself.
-- Grain: see the line above each statement; the tables are those of the session in sql/schema/balance.sql.
-- Reads: live_files, imported_files, domain_ownership, rating_projection, accounts.

-- name: made_from
-- One row, or none: which live files this session's open hours were made from, and up to when they know usage.
SELECT live_files, known_through
FROM open_made_from;

-- name: forget
-- The session's open hours are made anew.
DELETE FROM open_value;
DELETE FROM open_names;
DELETE FROM open_made_from;

-- name: add_live_usage
-- open_names: one row per bucket × account × domain × region × class of hours not imported yet; names that nobody
-- owns are left out. open_usage, which rating prices: the same without domain. An exact name goes before a wildcard.
-- The ends stand as comparisons: with an OR in it the join would try every live row with every name. Where only some
-- accounts are asked for, their names are looked for in the files, each of the two ways by itself, so that a payment
-- reads the rows of its account and not the hour of all.
INSERT INTO open_names
WITH files AS (
    SELECT
        unnest($places::VARCHAR[]) AS place,
        unnest($names::VARCHAR[]) AS name
),

names_of_accounts AS MATERIALIZED (
    SELECT DISTINCT domain
    FROM domain_ownership
    WHERE account_id IN (SELECT unnest($accounts::VARCHAR[]))
),

wanted AS NOT MATERIALIZED (
    SELECT l.*
    FROM live_files AS l
    WHERE $accounts::VARCHAR[] IS NULL AND l.domain IS NOT NULL
    UNION ALL
    SELECT l.*
    FROM live_files AS l
    SEMI JOIN names_of_accounts AS n ON l.domain = n.domain
    WHERE $accounts::VARCHAR[] IS NOT NULL
    UNION ALL
    SELECT l.*
    FROM live_files AS l
    SEMI JOIN (
        SELECT domain
        FROM names_of_accounts
        WHERE starts_with(domain, '*')
    ) AS n ON '*' || substr(l.domain, instr(l.domain, '.')) = n.domain
    ANTI JOIN names_of_accounts AS e ON l.domain = e.domain
    WHERE $accounts::VARCHAR[] IS NOT NULL
),

live AS (
    SELECT
        l.*,
        date_trunc('hour', l.bucket) AS hour,
        regexp_extract(f.name, 'partition=([^/]*)\.parquet$', 1) AS partition
    FROM wanted AS l
    INNER JOIN files AS f ON l.filename = f.place
),

still_open AS (
    SELECT l.*
    FROM live AS l
    ANTI JOIN imported_files AS i ON l.hour = i.hour AND l.partition = i.partition
),

wildcards AS NOT MATERIALIZED (
    SELECT *
    FROM domain_ownership
    WHERE starts_with(domain, '*')
),

owned AS (
    SELECT
        COALESCE(exact.account_id, wild.account_id) AS account_id,
        o.domain,
        o.bucket,
        o.region,
        o.class,
        o.requests,
        o.bytes_sent
    FROM still_open AS o
    LEFT JOIN domain_ownership AS exact
        ON
            o.domain = exact.domain
            AND o.bucket >= exact.effective_from
            AND o.bucket < COALESCE(exact.effective_to, TIMESTAMP '9999-12-31')
    LEFT JOIN wildcards AS wild
        ON
            wild.domain = '*' || substr(o.domain, instr(o.domain, '.'))
            AND o.bucket >= wild.effective_from
            AND o.bucket < COALESCE(wild.effective_to, TIMESTAMP '9999-12-31')
)

SELECT
    account_id,
    domain,
    bucket,
    region,
    class,
    CAST(SUM(requests) AS BIGINT) AS requests,
    CAST(SUM(bytes_sent) AS BIGINT) AS bytes_sent
FROM owned
WHERE
    account_id IS NOT NULL
    AND ($accounts::VARCHAR[] IS NULL OR account_id IN (SELECT unnest($accounts::VARCHAR[])))
GROUP BY ALL;

-- name: sum_open_usage
-- One row per bucket × account × region × class: what rating prices.
CREATE OR REPLACE TEMP TABLE open_usage AS
SELECT
    account_id,
    bucket,
    region,
    class,
    CAST(SUM(requests) AS BIGINT) AS requests,
    CAST(SUM(bytes_sent) AS BIGINT) AS bytes_sent
FROM open_names
GROUP BY ALL;

-- name: has_usage
-- One row: whether any owned domain was used in an open hour.
SELECT COUNT(*) > 0 AS has_usage
FROM open_usage;

-- name: add_value
-- One row per account with open usage, as rating projects it; a credit counts as zero.
INSERT INTO open_value
SELECT p.account_id, GREATEST(SUM(p.amount), 0)
FROM rating_projection AS p
INNER JOIN accounts AS a ON p.account_id = a.account_id AND p.currency = a.currency
GROUP BY p.account_id;

-- name: note
-- One row: what the open hours were made from, and up to when they know usage.
INSERT INTO open_made_from
SELECT
    $live_files,
    (SELECT LEAST($now, MAX(bucket) + INTERVAL 5 MINUTE) FROM open_names WHERE bucket <= $now);
