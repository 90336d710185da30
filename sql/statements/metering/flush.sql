-- One flush: what was counted becomes durable together with the positions it was read from, in one
-- transaction, and is read back. Then, now and then, the usage is made compact.
-- Grain: rows come as Arrow tables; those that add up are never joined here.

-- name: known_digests
-- One row per batch accepted before under one of the identities asked for (Arrow: suspects).
SELECT known.edge_id, known.epoch, known.sequence, known.digest
FROM accepted_batches AS known
SEMI JOIN suspects
    ON suspects.edge_id = known.edge_id
    AND suspects.epoch = known.epoch
    AND suspects.sequence = known.sequence
WHERE known.partition = $partition

-- name: advance_partitions
-- One row per partition moved on; none for one that another worker has moved.
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

-- name: add_usage
-- Grain: partition x 5-minute bucket x domain x region x class (Arrow: flush_rows), a row a key
-- already.
INSERT INTO usage BY NAME
SELECT
    partition,
    epoch_ms(bucket_ms) AS bucket,
    nullif(domain, '') AS domain,
    region,
    class,
    requests,
    bytes_sent,
    status_0xx,
    status_1xx,
    status_2xx,
    status_3xx,
    status_4xx,
    status_5xx,
    status_other,
    cache_hits
FROM flush_rows

-- name: note_batches
-- What was rejected, which batches hold events of which hour, who promises nothing, digests: only
-- added, and added up when read (Arrow: rejected, hours_seen, sources_seen, digests).
INSERT INTO quarantine
SELECT partition, reason, source, records, first_seen_ms, last_seen_ms
FROM rejected;

INSERT INTO hour_batches
SELECT partition, hour_ms, edge_id, epoch, first_sequence, last_sequence, batches, events
FROM hours_seen;

INSERT INTO unproven
SELECT seen.partition, seen.hour_ms, seen.source
FROM sources_seen AS seen
ANTI JOIN unproven AS known
    ON known.partition = seen.partition
    AND known.hour_ms = seen.hour_ms
    AND known.source = seen.source;

INSERT INTO accepted_batches
SELECT partition, edge_id, epoch, sequence, digest, seen_ms, flush_no
FROM digests;

-- name: replace_progress
-- The rows of the edges and sources that moved take the place of the older ones, an edge's together
-- (Arrow: changed_edges, changed_epochs, changed_intervals, changed_positions).
DELETE FROM edges
WHERE (partition, edge_id) IN (SELECT (partition, edge_id) FROM changed_edges);

DELETE FROM epochs
WHERE (partition, edge_id) IN (SELECT (partition, edge_id) FROM changed_edges);

DELETE FROM intervals
WHERE (partition, edge_id) IN (SELECT (partition, edge_id) FROM changed_edges);

DELETE FROM positions
WHERE (partition, source) IN (SELECT (partition, source) FROM changed_positions);

INSERT INTO edges BY NAME SELECT * FROM changed_edges;
INSERT INTO epochs BY NAME SELECT * FROM changed_epochs;
INSERT INTO intervals BY NAME SELECT * FROM changed_intervals;
INSERT INTO positions BY NAME SELECT * FROM changed_positions;

-- name: read_back
-- One row per partition and source, asked after COMMIT before anything outside is told; one row
-- without source for a partition that has none.
SELECT p.partition, p.generation, p.flush_no, s.source, s.position
FROM partitions AS p
LEFT JOIN positions AS s ON s.partition = p.partition

-- name: usage_rows
-- One row: how many rows the open usage has, as they lie there.
SELECT count(*) AS usage_rows FROM usage WHERE partition = $partition

-- name: compact_usage
-- Bucket x domain x region x class: the open usage with the rows of each key added up.
CREATE OR REPLACE TEMP TABLE compacted AS
SELECT
    partition, bucket, domain, region, class,
    sum(requests)::BIGINT AS requests,
    sum(bytes_sent)::BIGINT AS bytes_sent,
    sum(status_0xx)::BIGINT AS status_0xx,
    sum(status_1xx)::BIGINT AS status_1xx,
    sum(status_2xx)::BIGINT AS status_2xx,
    sum(status_3xx)::BIGINT AS status_3xx,
    sum(status_4xx)::BIGINT AS status_4xx,
    sum(status_5xx)::BIGINT AS status_5xx,
    sum(status_other)::BIGINT AS status_other,
    sum(cache_hits)::BIGINT AS cache_hits
FROM usage
WHERE partition = $partition
GROUP BY partition, bucket, domain, region, class

-- name: forget_usage
-- All rows of $partition, which the compacted ones replace.
DELETE FROM usage WHERE partition = $partition

-- name: put_compacted
-- Bucket x domain x region x class.
INSERT INTO usage BY NAME SELECT * FROM compacted
