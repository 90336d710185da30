-- JSON events of a flush: which are new, which were counted, what they add up to, and the memory of
-- their ids. Order: judge, then the reading statements, then add_ids in the same transaction.
-- Grain: one event, in json_judged.

-- name: judge
-- One row per event, in order of arrival (place): accepted, duplicate or conflict
-- (Arrow: json_seen).
CREATE OR REPLACE TEMP TABLE json_judged AS
WITH numbered AS (
    SELECT
        *,
        -- The length keeps («ab», «c») apart from («a», «bc»).
        md5_number(length(source) || ':' || source || id) AS identity,
        md5_number_lower(
            concat_ws('|', time_ms, class_code, status, bytes_sent, cache, region, domain)
        ) AS digest
    FROM json_seen
),
hashed AS (
    SELECT
        * EXCLUDE (identity),
        (identity >> 64)::UBIGINT AS identity_high,
        (identity & 18446744073709551615)::UBIGINT AS identity_low
    FROM numbered
),
firsts AS (
    SELECT identity_high, identity_low, min(place) AS place, arg_min(digest, place) AS digest
    FROM hashed
    GROUP BY identity_high, identity_low
),
known AS (
    SELECT ids.identity_high, ids.identity_low, min(ids.digest) AS digest
    FROM json_ids AS ids
    SEMI JOIN firsts
        ON firsts.identity_high = ids.identity_high AND firsts.identity_low = ids.identity_low
    WHERE ids.partition = $partition
    GROUP BY ids.identity_high, ids.identity_low
)
SELECT
    hashed.*,
    CASE
        WHEN known.digest IS NULL AND hashed.place = firsts.place THEN 'accepted'
        WHEN hashed.digest = coalesce(known.digest, firsts.digest) THEN 'duplicate'
        ELSE 'conflict'
    END AS verdict
FROM hashed
JOIN firsts
    ON firsts.identity_high = hashed.identity_high AND firsts.identity_low = hashed.identity_low
LEFT JOIN known
    ON known.identity_high = hashed.identity_high AND known.identity_low = hashed.identity_low

-- name: verdicts
-- One row per verdict and source.
SELECT verdict, source, count(*) AS events
FROM json_judged
GROUP BY verdict, source
ORDER BY verdict, source

-- name: conflicts
-- One row per event whose id was counted with other content, at most 1,000, for a person.
SELECT source, id, time_ms, domain, status, bytes_sent
FROM json_judged
WHERE verdict = 'conflict'
ORDER BY place
LIMIT 1000

-- name: counts
-- Region x 5-minute bucket x domain x class, of the accepted events.
SELECT
    region,
    time_ms // 300000 * 300000 AS bucket_ms,
    domain,
    class_code,
    count(*)::BIGINT AS requests,
    sum(bytes_sent)::BIGINT AS bytes_sent,
    count(*) FILTER (WHERE status // 100 = 0)::BIGINT AS status_0xx,
    count(*) FILTER (WHERE status // 100 = 1)::BIGINT AS status_1xx,
    count(*) FILTER (WHERE status // 100 = 2)::BIGINT AS status_2xx,
    count(*) FILTER (WHERE status // 100 = 3)::BIGINT AS status_3xx,
    count(*) FILTER (WHERE status // 100 = 4)::BIGINT AS status_4xx,
    count(*) FILTER (WHERE status // 100 = 5)::BIGINT AS status_5xx,
    count(*) FILTER (WHERE status >= 600)::BIGINT AS status_other,
    count(*) FILTER (WHERE cache = 1)::BIGINT AS cache_hits
FROM json_judged
WHERE verdict = 'accepted'
GROUP BY ALL
ORDER BY region, bucket_ms, domain, class_code

-- name: sources_by_hour
-- Hour x source with accepted events.
SELECT DISTINCT time_ms // 3600000 * 3600000 AS hour_ms, source
FROM json_judged
WHERE verdict = 'accepted'

-- name: add_ids
-- One row per accepted event, under the number of the flush that is being written.
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

-- name: forget_before
-- Ids of hours before the window go: such events are uncheckable from now on.
DELETE FROM json_ids WHERE partition = $partition AND hour_ms < $hour_ms
