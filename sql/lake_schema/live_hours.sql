-- The shape of live_hours where there is no file yet.
-- One row per partition and hour that metering knows.
-- Reads nothing.
CREATE TABLE live_hours (
    hour TIMESTAMP,
    partition VARCHAR,
    state VARCHAR,
    accepted BIGINT,
    late BIGINT,
    missing_edges VARCHAR[]
)
