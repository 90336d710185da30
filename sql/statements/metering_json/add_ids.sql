-- Answers: remembers the accepted JSON events of a flush, in its own transaction.
-- Grain: one row per accepted event.
-- Reads: json_judged, partitions (the flush that is being written).
INSERT INTO json_ids
SELECT
    $partition,
    time_ms // 3600000 * 3600000,
    identity_high,
    identity_low,
    digest,
    $seen_ms,
    (SELECT flush_no FROM partitions WHERE partition = $partition)
FROM json_judged
WHERE verdict = 'accepted'
