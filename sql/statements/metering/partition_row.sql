-- Answers: what is stored of a partition as a whole.
-- Grain: one row, or none when this file does not know the partition.
-- Reads: partitions.
SELECT
    partition, generation, flush_no, checkpoint_no, certificate_no, certificate_sha256,
    complete_through_ms, batches_read, batches_accepted, batches_duplicate, batches_quarantined,
    events_read, events_accepted, events_duplicate, events_quarantined, duplicate_since,
    quarantined_since, checkpoint_flush_no
FROM partitions
WHERE partition = $partition
