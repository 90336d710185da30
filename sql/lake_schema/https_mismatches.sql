-- The shape of lake table https_mismatches where billing has published none yet.
-- Grain: one row per row of sql/lake/https_mismatches.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_https_mismatches (
    edge_id VARCHAR,
    written_at TIMESTAMP,
    requests BIGINT
)
