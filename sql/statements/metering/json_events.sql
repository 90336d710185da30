-- JSON events of a flush, of all its partitions: what each is known by, which of them were counted
-- before, and the memory of their ids. Order: identities, known, then add_ids in the same transaction.
-- Grain: one event; what they add up to is worked out in columns (metering/counting/json_counts.py).

-- name: identities
-- One row per event (Arrow: json_seen), in whatever order: place says which.
WITH numbered AS (
    -- The length keeps («ab», «c») apart from («a», «bc»).
    SELECT place, md5_number(length(source) || ':' || source || id) AS identity
    FROM json_seen
)
SELECT
    place,
    (identity >> 64)::UBIGINT AS identity_high,
    (identity & 18446744073709551615)::UBIGINT AS identity_low
FROM numbered

-- name: known
-- One row per id counted before, of any partition, that the flush holds again (Arrow: json_seen).
SELECT ids.partition, ids.identity_high, ids.identity_low, ids.digest
FROM json_ids AS ids
SEMI JOIN json_seen AS seen
    ON seen.identity_low = ids.identity_low
    AND seen.identity_high = ids.identity_high

-- name: same_as_before
-- Places of the events whose digest is the one held of their id, as it was made before 2026-12
-- (Arrow: json_unlike). To be dropped once no window reaches back so far.
SELECT place
FROM json_unlike
WHERE held = md5_number_lower(
    concat_ws('|', time_ms, class_code, status, bytes_sent, cache, region, domain)
)

-- name: add_ids
-- One row per counted event, under the number of the flush that is being written (Arrow:
-- json_fresh).
INSERT INTO json_ids
SELECT partition, hour_ms, identity_high, identity_low, digest, $seen_ms, flush_no
FROM json_fresh

-- name: forget_before
-- Ids of hours before the window go: such events are uncheckable from now on.
DELETE FROM json_ids WHERE hour_ms < $hour_ms
