-- Answers: the imported usage that has another owner now: exact name, else one-level wildcard, else nobody.
-- Grain: one row per usage row that moves.
-- Reads: usage, touched_domains, domain_ownership.
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
