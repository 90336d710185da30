-- Answers: moves a partition one flush on, only for its owner and only from the flush it knows.
-- Grain: one row per partition; no row comes back when another worker has moved it.
-- Reads: partitions.
UPDATE partitions SET
    flush_no = flush_no + 1,
    batches_read = batches_read + $batches_read,
    batches_accepted = batches_accepted + $batches_accepted,
    batches_duplicate = batches_duplicate + $batches_duplicate,
    batches_quarantined = batches_quarantined + $batches_quarantined,
    events_read = events_read + $events_read,
    events_accepted = events_accepted + $events_accepted,
    events_duplicate = events_duplicate + $events_duplicate,
    events_quarantined = events_quarantined + $events_quarantined,
    duplicate_since = duplicate_since + $events_duplicate,
    quarantined_since = quarantined_since + $events_quarantined
WHERE partition = $partition AND generation = $generation AND flush_no = $flush_no
RETURNING flush_no
