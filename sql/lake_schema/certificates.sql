-- The shape of lake table certificates where billing has published none yet.
-- Grain: one row per row of sql/lake/certificates.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_certificates (
    hour TIMESTAMP,
    partition VARCHAR,
    revision INTEGER,
    state VARCHAR,
    certificate_sha256 VARCHAR,
    edge_id VARCHAR,
    region VARCHAR,
    watermark VARCHAR,
    epoch VARCHAR,
    first_sequence BIGINT,
    last_sequence BIGINT,
    batches BIGINT,
    events BIGINT,
    gaps BIGINT
)
