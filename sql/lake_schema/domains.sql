-- The shape of lake table domains where billing has published none yet.
-- Grain: one row per row of sql/lake/domains.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_domains (
    ownership_id VARCHAR,
    domain VARCHAR,
    account_id VARCHAR,
    effective_from TIMESTAMP,
    effective_to TIMESTAMP
)
