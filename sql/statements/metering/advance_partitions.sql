-- Answers: moves partitions one flush on, only for their owner and only from the flush it knows.
-- Grain: one row per partition; no row comes back of one that another worker has moved.
-- Reads: partitions, moved (Arrow).
UPDATE partitions SET
    flush_no = partitions.flush_no + 1,
    batches_read = partitions.batches_read + moved.batches_read,
    batches_accepted = partitions.batches_accepted + moved.batches_accepted,
    batches_duplicate = partitions.batches_duplicate + moved.batches_duplicate,
    batches_quarantined = partitions.batches_quarantined + moved.batches_quarantined,
    events_read = partitions.events_read + moved.events_read,
    events_accepted = partitions.events_accepted + moved.events_accepted,
    events_duplicate = partitions.events_duplicate + moved.events_duplicate,
    events_quarantined = partitions.events_quarantined + moved.events_quarantined,
    duplicate_since = partitions.duplicate_since + moved.events_duplicate,
    quarantined_since = partitions.quarantined_since + moved.events_quarantined
FROM moved
WHERE partitions.partition = moved.partition
    AND partitions.generation = moved.generation
    AND partitions.flush_no = moved.flush_no
RETURNING partitions.partition
