-- Imported usage of one day added up for bandwidth: what each account sent in every 5 minutes, all domains together.
-- Grain: one row per hour (UTC) × account × file that sent bytes; from_05: in the 5 minutes from minute 5 on; most, fewest: in one of the twelve.
-- is_more: the hour was imported before these rows, so that other files may have rows of it too.
-- Reads: usage.
-- Read by: sql/views/bandwidth_hourly.sql.
WITH before AS (
    SELECT DISTINCT hour
    FROM usage
    WHERE
        hour >= CAST(getvariable('lake_range').day AS DATE)
        AND hour < CAST(getvariable('lake_range').day AS DATE) + INTERVAL 1 DAY
        AND import_no <= getvariable('lake_range').after
)

SELECT
    u.hour,
    u.account_id,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 0), 0) AS BIGINT) AS from_00,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 5), 0) AS BIGINT) AS from_05,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 10), 0) AS BIGINT) AS from_10,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 15), 0) AS BIGINT) AS from_15,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 20), 0) AS BIGINT) AS from_20,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 25), 0) AS BIGINT) AS from_25,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 30), 0) AS BIGINT) AS from_30,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 35), 0) AS BIGINT) AS from_35,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 40), 0) AS BIGINT) AS from_40,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 45), 0) AS BIGINT) AS from_45,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 50), 0) AS BIGINT) AS from_50,
    CAST(coalesce(sum(u.bytes_sent) FILTER (minute(u.bucket) = 55), 0) AS BIGINT) AS from_55,
    b.hour IS NOT NULL AS is_more,
    greatest(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    ) AS most,
    least(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    ) AS fewest
FROM usage AS u
LEFT JOIN before AS b ON u.hour = b.hour
WHERE
    u.hour >= CAST(getvariable('lake_range').day AS DATE)
    AND u.hour < CAST(getvariable('lake_range').day AS DATE) + INTERVAL 1 DAY
    AND u.import_no > getvariable('lake_range').after
    AND u.import_no <= getvariable('lake_range').through
    AND u.bytes_sent > 0
GROUP BY u.hour, u.account_id, is_more
ORDER BY account_id, hour;
