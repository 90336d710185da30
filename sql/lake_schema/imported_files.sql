-- The shape of lake table imported_files where billing has published none yet.
-- Grain: one row per row of sql/lake/imported_files.sql.
-- Reads: nothing.
-- Read by: billing/lake/tables.py.
CREATE TABLE lake_imported_files (
    hour TIMESTAMP,
    partition VARCHAR,
    revision INTEGER,
    data_sha256 VARCHAR,
    certificate_sha256 VARCHAR,
    state VARCHAR,
    rows BIGINT,
    requests BIGINT,
    bytes_sent BIGINT,
    closed_at TIMESTAMP,
    complete_through TIMESTAMP,
    too_old BOOLEAN,
    import_no BIGINT,
    pruned BOOLEAN,
    missing_edges VARCHAR[]
)
