-- A closing round: how much is open, the usage of the hours that close as it is handed on, what
-- vouches for it, and the move of the store behind the round.
-- Grain: the hours of the round, Arrow table closing_hours (partition, hour_ms, hour).

-- name: usage_hours
-- Partition x hour that holds usage not written yet: the requests, and the rows as they lie there.
SELECT
    partition,
    epoch_ms(date_trunc('hour', bucket)) AS hour_ms,
    sum(requests)::BIGINT AS requests,
    count(*) AS usage_rows
FROM usage
WHERE partition IN (SELECT unnest($partitions::VARCHAR []))
GROUP BY partition, hour_ms
ORDER BY partition, hour_ms

-- name: fold_sizes
-- Partition x bucket of the wanted hours (Arrow: wanted_hours), so that large ones go in pieces.
SELECT u.partition, u.bucket, count(*) AS usage_rows
FROM usage AS u
SEMI JOIN wanted_hours AS wanted
    ON wanted.partition = u.partition AND wanted.hour = date_trunc('hour', u.bucket)
GROUP BY u.partition, u.bucket
ORDER BY u.partition, u.bucket

-- name: fold_names
-- Partition x hour x name that does not keep its name, of whole hours (Arrow: stretch); wildcard NULL
-- is unattributed (DESIGN 3.5, FAULTS D7, D8).
-- An owned name keeps its name (Arrow: owned_names, exact or `*.parent`). Of the names under one
-- wildcard, and of those nobody owns, the $names_kept with most requests (ties by name) keep theirs;
-- the rest becomes the wildcard, or NULL.
CREATE OR REPLACE TEMP TABLE folded_names AS
WITH named AS (
    SELECT
        u.partition,
        date_trunc('hour', u.bucket) AS hour,
        u.domain,
        sum(u.requests) AS requests
    FROM usage AS u
    SEMI JOIN stretch ON stretch.partition = u.partition AND stretch.bucket = u.bucket
    WHERE u.domain IS NOT NULL
    GROUP BY u.partition, hour, u.domain
),

unowned AS (
    SELECT named.partition, named.hour, named.domain, named.requests, wild.name AS wildcard
    FROM named
    ANTI JOIN owned_names AS exact ON exact.name = named.domain
    LEFT JOIN owned_names AS wild
        ON wild.name = '*.' || substr(named.domain, instr(named.domain, '.') + 1)
)

SELECT partition, hour, domain, wildcard
FROM unowned
QUALIFY
    row_number() OVER (
        PARTITION BY partition, hour, wildcard ORDER BY requests DESC, domain
    ) > $names_kept

-- name: fold_hours
-- Partition x bucket (Arrow: stretch) x domain x region x class, names folded as fold_names decided;
-- NULL: unattributed.
SELECT
    u.partition,
    date_trunc('hour', u.bucket) AS hour,
    u.bucket,
    CASE WHEN f.domain IS NULL THEN u.domain ELSE f.wildcard END AS kept,
    u.region,
    u.class,
    sum(u.requests)::BIGINT AS requests,
    sum(u.bytes_sent)::BIGINT AS bytes_sent,
    sum(u.status_0xx)::BIGINT AS status_0xx,
    sum(u.status_1xx)::BIGINT AS status_1xx,
    sum(u.status_2xx)::BIGINT AS status_2xx,
    sum(u.status_3xx)::BIGINT AS status_3xx,
    sum(u.status_4xx)::BIGINT AS status_4xx,
    sum(u.status_5xx)::BIGINT AS status_5xx,
    sum(u.status_other)::BIGINT AS status_other,
    sum(u.cache_hits)::BIGINT AS cache_hits
FROM usage AS u
SEMI JOIN stretch ON stretch.partition = u.partition AND stretch.bucket = u.bucket
LEFT JOIN folded_names AS f
    ON f.partition = u.partition
    AND f.hour = date_trunc('hour', u.bucket)
    AND f.domain = u.domain
GROUP BY u.partition, u.bucket, kept, u.region, u.class
ORDER BY u.partition, u.bucket, kept NULLS LAST, u.region, u.class

-- name: hour_evidence
-- Hour x edge x epoch: which batches hold the usage of the closing hours (Arrow: closing_hours).
SELECT
    b.hour_ms, b.edge_id, b.epoch,
    min(b.first_sequence) AS first_sequence, max(b.last_sequence) AS last_sequence,
    sum(b.batches)::BIGINT AS batches, sum(b.events)::BIGINT AS events
FROM hour_batches AS b
SEMI JOIN closing_hours AS c ON c.hour_ms = b.hour_ms
WHERE b.partition = $partition
GROUP BY b.hour_ms, b.edge_id, b.epoch
ORDER BY b.hour_ms, b.edge_id, b.epoch

-- name: hour_unproven
-- Hour x source without a promise that has usage in the closing hours.
SELECT u.hour_ms, u.source
FROM unproven AS u
SEMI JOIN closing_hours AS c ON c.hour_ms = u.hour_ms
WHERE u.partition = $partition
ORDER BY u.hour_ms, u.source

-- name: keep_hours
-- One row per hour that gets another revision: what is known of it.
CREATE OR REPLACE TEMP TABLE hours_before AS
SELECT hour_ms, requests, late, empty_since_ms
FROM hours
WHERE partition = $partition AND hour_ms IN (SELECT hour_ms FROM closing_hours)

-- name: drop_written
-- What the round's files and certificates hold now leaves the store (Arrow: closing_hours).
DELETE FROM usage
USING closing_hours AS c
WHERE usage.partition = c.partition AND date_trunc('hour', usage.bucket) = c.hour;

DELETE FROM hour_batches
USING closing_hours AS c
WHERE hour_batches.partition = c.partition AND hour_batches.hour_ms = c.hour_ms;

DELETE FROM unproven
USING closing_hours AS c
WHERE unproven.partition = c.partition AND unproven.hour_ms = c.hour_ms;

DELETE FROM hours
USING closing_hours AS c
WHERE hours.partition = c.partition AND hours.hour_ms = c.hour_ms;

-- name: add_hours
-- One row per hour (Arrow: closed_now), its counts added to those of the revision before.
INSERT INTO hours
SELECT
    $partition, c.hour_ms, c.revision, c.state, c.closed_ms,
    coalesce(before.empty_since_ms, c.empty_since_ms),
    c.requests + coalesce(before.requests, 0),
    c.late + coalesce(before.late, 0),
    c.missing
FROM closed_now AS c
LEFT JOIN hours_before AS before ON before.hour_ms = c.hour_ms

-- name: compact_quarantine
-- Reason x source: rows of one key become one, so that years of a broken edge stay a few rows.
CREATE OR REPLACE TEMP TABLE quarantine_sums AS
SELECT
    partition, reason, source,
    sum(records)::BIGINT AS records,
    min(first_seen_ms) AS first_seen_ms,
    max(last_seen_ms) AS last_seen_ms
FROM quarantine
WHERE partition IN (SELECT partition FROM closing_hours)
GROUP BY partition, reason, source;

DELETE FROM quarantine WHERE partition IN (SELECT partition FROM closing_hours);

INSERT INTO quarantine BY NAME SELECT * FROM quarantine_sums;

-- name: forget_digests
-- Digests older than edges keep what they sent: nobody can send those batches again.
DELETE FROM accepted_batches WHERE partition = $partition AND seen_ms < $before_ms

-- name: advance_certificates
-- One row: the partition moved behind the round; none when another worker has moved it.
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
