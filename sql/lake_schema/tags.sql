-- The shape of lake_tags where billing has not published yet.
-- Grain: one row per account, or domain of an account, that has tags.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_tags (
    kind VARCHAR,
    subject VARCHAR,
    account_id VARCHAR,
    tags MAP(VARCHAR, VARCHAR)
)
