-- Every batch and event read was accepted, was a duplicate, or is in quarantine.
-- Grain: one row per partition whose sums do not add up.
-- Reads: partitions.
-- Read by: metering/worker/checks.py.
SELECT partition, batches_read, events_read, events_accepted, events_duplicate, events_quarantined
FROM partitions
WHERE batches_read <> batches_accepted + batches_duplicate + batches_quarantined
    OR events_read <> events_accepted + events_duplicate + events_quarantined
