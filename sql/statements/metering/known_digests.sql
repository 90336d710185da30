-- Answers: the digests of batches accepted before under the identities asked for.
-- Grain: one row per batch.
-- Reads: accepted_batches, suspects (Arrow).
SELECT known.edge_id, known.epoch, known.sequence, known.digest
FROM accepted_batches AS known
SEMI JOIN suspects
    ON suspects.edge_id = known.edge_id
    AND suspects.epoch = known.epoch
    AND suspects.sequence = known.sequence
WHERE known.partition = $partition
