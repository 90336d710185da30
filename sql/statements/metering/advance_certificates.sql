-- Answers: moves a partition behind a round of closing, only for its owner.
-- Grain: one row per partition; no row comes back when another worker has moved it.
-- Reads: partitions.
UPDATE partitions SET
    checkpoint_no = $checkpoint_no,
    checkpoint_flush_no = flush_no,
    certificate_no = $certificate_no,
    certificate_sha256 = $certificate_sha256,
    complete_through_ms = $complete_through_ms,
    duplicate_since = 0,
    quarantined_since = 0
WHERE partition = $partition AND generation = $generation AND flush_no = $flush_no
RETURNING checkpoint_no
