-- Answers: what becomes of each JSON event of a flush: accepted, duplicate or conflict.
-- Grain: one row per event, in order of arrival (place).
-- Reads: json_seen (Arrow), json_ids.
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
