-- The tags of accounts, and those that accounts gave to their domains, as they are now.
-- Grain: one row per account, or domain (a name, or *.name) of an account, that has tags.
-- Reads: tags.
-- Read by: sql/views/accounts.sql, sql/views/domains.sql, sql/views/domain_bills.sql.
SELECT
    kind,
    subject,
    account_id,
    CAST(CAST(tags AS JSON) AS MAP(VARCHAR, VARCHAR)) AS tags
FROM tags
ORDER BY kind, subject, account_id;
