-- The shape of live_quarantine where there is no file yet.
-- One row per reason and edge or source.
-- Reads nothing.
CREATE TABLE live_quarantine (
    reason VARCHAR,
    source VARCHAR,
    records BIGINT,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP
)
