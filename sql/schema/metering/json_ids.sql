-- Answers: which JSON events (source, id) were counted within the window (decision 0404).
-- Grain: partition x identity, once. The identity is the md5 of (source, id), in two halves since
-- Parquet has no 128-bit integer; `digest` is of the values. Reads: nothing.
CREATE TABLE IF NOT EXISTS json_ids (
    partition VARCHAR NOT NULL,
    hour_ms BIGINT NOT NULL,
    identity_high UBIGINT NOT NULL,
    identity_low UBIGINT NOT NULL,
    digest UBIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    flush_no BIGINT NOT NULL
)
