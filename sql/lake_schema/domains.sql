-- The shape of lake table domains where billing has published none yet.
-- One row per row of sql/lake/domains.sql.
-- Reads nothing.
CREATE TABLE lake_domains (
    ownership_id VARCHAR,
    domain VARCHAR,
    account_id VARCHAR,
    effective_from TIMESTAMP,
    effective_to TIMESTAMP
)
