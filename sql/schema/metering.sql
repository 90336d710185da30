-- Answers: the private usage store of one metering worker (usage.duckdb), DESIGN 3.5.
-- Grain: one table per kind of fact, every row belongs to one partition.
-- Reads: nothing. Times in columns *_ms are UTC milliseconds. No index: deletes and sums scan.

CREATE TABLE IF NOT EXISTS partitions (
    partition VARCHAR NOT NULL,
    generation BIGINT NOT NULL,
    flush_no BIGINT NOT NULL,
    checkpoint_no BIGINT NOT NULL,
    certificate_no BIGINT NOT NULL,
    certificate_sha256 VARCHAR,
    complete_through_ms BIGINT,
    batches_read BIGINT NOT NULL,
    batches_accepted BIGINT NOT NULL,
    batches_duplicate BIGINT NOT NULL,
    batches_quarantined BIGINT NOT NULL,
    events_read BIGINT NOT NULL,
    events_accepted BIGINT NOT NULL,
    events_duplicate BIGINT NOT NULL,
    events_quarantined BIGINT NOT NULL,
    duplicate_since BIGINT NOT NULL,
    quarantined_since BIGINT NOT NULL,
    checkpoint_flush_no BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS positions (
    partition VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    position VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS edges (
    partition VARCHAR NOT NULL,
    edge_id VARCHAR NOT NULL,
    region VARCHAR NOT NULL,
    expected_from_ms BIGINT,
    advanced_ms BIGINT NOT NULL,
    last_epoch BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    held VARCHAR DEFAULT ''
);

-- Stores made before 2026-12 do not know why an edge promises nothing: its next batch says it again.
ALTER TABLE edges ADD COLUMN IF NOT EXISTS held VARCHAR DEFAULT '';

CREATE TABLE IF NOT EXISTS epochs (
    partition VARCHAR NOT NULL,
    edge_id VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    previous_epoch BIGINT,
    previous_sequence BIGINT,
    batches BIGINT NOT NULL,
    requests BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS intervals (
    partition VARCHAR NOT NULL,
    edge_id VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    reach_ms BIGINT NOT NULL,
    watermark_ms BIGINT NOT NULL,
    noticed_ms BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS usage (
    partition VARCHAR NOT NULL,
    bucket TIMESTAMP NOT NULL,
    domain VARCHAR,
    region VARCHAR NOT NULL,
    class VARCHAR NOT NULL,
    requests BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL,
    status_0xx BIGINT NOT NULL,
    status_1xx BIGINT NOT NULL,
    status_2xx BIGINT NOT NULL,
    status_3xx BIGINT NOT NULL,
    status_4xx BIGINT NOT NULL,
    status_5xx BIGINT NOT NULL,
    status_other BIGINT DEFAULT 0,
    cache_hits BIGINT NOT NULL
);

-- Stores made before 2026-12 lack the class `other` (decision 1301): what they hold has none of it.
ALTER TABLE usage ADD COLUMN IF NOT EXISTS status_other BIGINT DEFAULT 0;

CREATE TABLE IF NOT EXISTS hour_batches (
    partition VARCHAR NOT NULL,
    hour_ms BIGINT NOT NULL,
    edge_id VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    batches BIGINT NOT NULL,
    events BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS hours (
    partition VARCHAR NOT NULL,
    hour_ms BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    closed_ms BIGINT NOT NULL,
    empty_since_ms BIGINT,
    requests BIGINT NOT NULL,
    late BIGINT NOT NULL,
    missing VARCHAR[] NOT NULL
);

CREATE TABLE IF NOT EXISTS quarantine (
    partition VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    records BIGINT NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS unproven (
    partition VARCHAR NOT NULL,
    hour_ms BIGINT NOT NULL,
    source VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS accepted_batches (
    partition VARCHAR NOT NULL,
    edge_id VARCHAR NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    digest BLOB NOT NULL,
    seen_ms BIGINT NOT NULL,
    flush_no BIGINT NOT NULL
);

-- JSON events (source, id) counted within the window (decision 0404): one row each. The identity is
-- the md5 of (source, id), in two halves since Parquet has no 128-bit integer; `digest` is of the
-- values.
CREATE TABLE IF NOT EXISTS json_ids (
    partition VARCHAR NOT NULL,
    hour_ms BIGINT NOT NULL,
    identity_high UBIGINT NOT NULL,
    identity_low UBIGINT NOT NULL,
    digest UBIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    flush_no BIGINT NOT NULL
);
