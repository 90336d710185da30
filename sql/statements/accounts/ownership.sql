-- Domains change hands: periods are stored or ended, two owners at once are refused, and usage that is
-- imported already goes to its owner of now. Exact name first, else one-level wildcard, else nobody
-- (DOMAIN §9.4), as when usage is imported. Both accounts' pasts are marked.

-- name: touched_domains
-- One row per name (exact or wildcard) whose owner changes, and from when.
CREATE OR REPLACE TEMP TABLE touched_domains AS
SELECT domain, min(from_bucket) AS from_bucket
FROM (
    SELECT domain, effective_from AS from_bucket FROM new_domains
    UNION ALL
    SELECT e.domain, least(e.effective_to, d.effective_to) AS from_bucket
    FROM ended_domains AS e
    INNER JOIN domain_ownership AS d ON e.ownership_id = d.ownership_id
    UNION ALL
    SELECT d.domain, d.effective_from AS from_bucket
    FROM replaced_names AS r
    INNER JOIN domain_ownership AS d ON r.kind = 'ownership' AND r.fact_id = d.ownership_id
)
GROUP BY domain;

-- name: drop_replaced
-- What stands in for them comes with the same record.
DELETE FROM domain_ownership
WHERE ownership_id IN (SELECT fact_id FROM replaced_names WHERE kind = 'ownership');

-- name: insert_ownership
-- One row per domain and period.
INSERT INTO domain_ownership BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM new_domains;

-- name: end_ownership
-- One row per period that ends.
UPDATE domain_ownership SET effective_to = e.effective_to
FROM ended_domains AS e
WHERE domain_ownership.ownership_id = e.ownership_id;

-- name: overlapping_ownership
-- One row per two owners at once of a touched name, the first ten (FAULTS F5).
WITH periods AS (
    SELECT
        domain,
        account_id,
        ownership_id,
        effective_from,
        coalesce(effective_to, TIMESTAMP '9999-12-31') AS effective_to,
        lag(account_id) OVER ordered AS account_before,
        lag(ownership_id) OVER ordered AS ownership_before,
        max(coalesce(effective_to, TIMESTAMP '9999-12-31')) OVER (
            ordered ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before
    FROM domain_ownership
    SEMI JOIN touched_domains USING (domain)
    WINDOW ordered AS (PARTITION BY domain ORDER BY effective_from, ownership_id)
)

SELECT domain, account_before, account_id, effective_from, ownership_before, ownership_id
FROM periods
WHERE end_before > effective_from
ORDER BY domain, effective_from
LIMIT 10;

-- name: moved_usage
-- One row per row of usage that has another owner now.
CREATE OR REPLACE TEMP TABLE moved_usage AS
WITH candidates AS (
    SELECT u.rowid AS usage_row, u.hour, u.bucket, u.domain, u.account_id
    FROM usage AS u
    INNER JOIN touched_domains AS t ON u.domain = t.domain AND u.bucket >= t.from_bucket
    UNION
    SELECT u.rowid AS usage_row, u.hour, u.bucket, u.domain, u.account_id
    FROM usage AS u
    INNER JOIN touched_domains AS t
        ON '*' || substr(u.domain, instr(u.domain, '.')) = t.domain AND u.bucket >= t.from_bucket
    WHERE u.bucket >= (SELECT min(from_bucket) FROM touched_domains)
),

owned AS (
    SELECT
        c.usage_row,
        c.hour,
        c.bucket,
        c.account_id AS old_account,
        coalesce(exact.account_id, wildcard.account_id) AS new_account
    FROM candidates AS c
    LEFT JOIN domain_ownership AS exact
        ON c.domain = exact.domain
        AND c.bucket >= exact.effective_from
        AND c.bucket < coalesce(exact.effective_to, TIMESTAMP '9999-12-31')
    LEFT JOIN domain_ownership AS wildcard
        ON '*' || substr(c.domain, instr(c.domain, '.')) = wildcard.domain
        AND c.bucket >= wildcard.effective_from
        AND c.bucket < coalesce(wildcard.effective_to, TIMESTAMP '9999-12-31')
)

SELECT usage_row, hour, bucket, old_account, new_account
FROM owned
WHERE old_account IS DISTINCT FROM new_account;

-- name: move_usage
-- The usage goes to its owner of now.
UPDATE usage SET account_id = m.new_account
FROM moved_usage AS m
WHERE usage.rowid = m.usage_row;

-- name: mark_moved_usage
-- One mark per account that lost or got usage.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(bucket) AS from_bucket,
    'domain moved' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM (
    SELECT old_account AS account_id, bucket FROM moved_usage
    UNION ALL
    SELECT new_account AS account_id, bucket FROM moved_usage
)
WHERE account_id IS NOT NULL
GROUP BY account_id;

-- name: mark_moved_days
-- One row per day of usage that moved, for the lake to write again.
INSERT INTO moved_days
SELECT DISTINCT CAST(hour AS DATE) AS day, CAST($journal_no AS BIGINT) AS journal_no
FROM moved_usage;

-- name: owned_domains
-- One row per name that some account owns, now or later: metering never folds it.
SELECT DISTINCT domain
FROM domain_ownership
ORDER BY domain;
