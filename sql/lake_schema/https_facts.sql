-- The shape of lake table https_facts where billing has published none yet.
-- Grain: one row per row of sql/lake/https_facts.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_https_facts (
    edge_id VARCHAR,
    domain VARCHAR,
    changed_at TIMESTAMP,
    live_at TIMESTAMP,
    https BOOLEAN,
    redirect VARCHAR,
    http2 BOOLEAN,
    http3 BOOLEAN,
    tls_min VARCHAR,
    hsts_seconds BIGINT,
    certificate_sha256 VARCHAR,
    not_after TIMESTAMP
)
