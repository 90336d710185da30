-- Answers: keeps the digests of the batches accepted in one flush, to tell a fork from a duplicate.
-- Grain: one row per batch.
-- Reads: noted (Arrow).
INSERT INTO accepted_batches
SELECT partition, edge_id, epoch, sequence, digest, seen_ms, flush_no
FROM noted
