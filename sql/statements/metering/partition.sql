-- Taking a partition: what this file knows of it, whose it is, and putting a checkpoint in its place.
-- Grain: one partition, the parameter $partition, or the Arrow table `forgotten`.
-- Order: read it, make it known, take it, load its state; forget_partition before a restore.

-- name: partition_row
-- One row, or none when this file does not know the partition.
SELECT
    partition, generation, flush_no, checkpoint_no, certificate_no, certificate_sha256,
    complete_through_ms, batches_read, batches_accepted, batches_duplicate, batches_quarantined,
    events_read, events_accepted, events_duplicate, events_quarantined, duplicate_since,
    quarantined_since, checkpoint_flush_no
FROM partitions
WHERE partition = $partition

-- name: partition_names
-- One row per partition that this file knows.
SELECT partition
FROM partitions
ORDER BY partition

-- name: flushes
-- One row per partition that this file knows: its last commit.
SELECT partition, flush_no
FROM partitions
ORDER BY partition

-- name: new_partition
-- The first row of a partition.
INSERT INTO partitions
VALUES ($partition, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

-- name: take_partition
-- Makes this worker, by its generation, the owner; no row comes back when a later one is.
UPDATE partitions SET generation = $generation
WHERE partition = $partition AND generation < $generation
RETURNING generation

-- name: positions
-- One row per source: how far it was read.
SELECT source, position, epoch, sequence
FROM positions
WHERE partition = $partition

-- name: edges
-- One row per edge.
SELECT edge_id, region, expected_from_ms, advanced_ms, last_epoch, last_sequence, coalesce(held, '') AS held
FROM edges
WHERE partition = $partition
ORDER BY edge_id

-- name: epochs
-- One row per edge and epoch, in the order in which the epochs were first heard of.
SELECT edge_id, epoch, ordinal, previous_epoch, previous_sequence, batches, requests
FROM epochs
WHERE partition = $partition
ORDER BY edge_id, ordinal

-- name: intervals
-- One row per unbroken stretch of sequences of an epoch.
SELECT edge_id, epoch, low, high, reach_ms, watermark_ms, noticed_ms
FROM intervals
WHERE partition = $partition
ORDER BY edge_id, epoch, low

-- name: hours
-- One row per closed hour, its newest revision.
SELECT hour_ms, revision, state, closed_ms, empty_since_ms, requests, late, missing
FROM hours
WHERE partition = $partition
ORDER BY hour_ms

-- name: quarantine_totals
-- Partition x reason x source of what is in quarantine.
SELECT
    partition, reason, source,
    sum(records)::BIGINT AS records,
    min(first_seen_ms) AS first_seen_ms,
    max(last_seen_ms) AS last_seen_ms
FROM quarantine
WHERE partition IN (SELECT unnest($partitions::VARCHAR []))
GROUP BY partition, reason, source
ORDER BY partition, reason, source

-- name: forget_partition
-- Everything of one partition (Arrow: forgotten), before a checkpoint is loaded in its place.
DELETE FROM partitions WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM positions WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM edges WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM epochs WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM intervals WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM usage WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM hour_batches WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM hours WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM quarantine WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM unproven WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM accepted_batches WHERE partition IN (SELECT partition FROM forgotten);
DELETE FROM json_ids WHERE partition IN (SELECT partition FROM forgotten);
