-- Imported usage of one day added up by the day of the account's time zone (UTC where nobody owns the domain).
-- Grain: one row per day × account × domain × region × class × file; a day of another zone has hours in two files.
-- Reads: usage, accounts, given_zone_offsets (registered by billing/lake/publish.py from billing/zones.py).
-- Read by: sql/views/usage_daily_parts.sql.
WITH days AS (
    SELECT
        b.bucket,
        o.zone,
        CAST(b.bucket + to_seconds(o.offset_seconds) AS DATE) AS day
    FROM (
        SELECT DISTINCT bucket
        FROM usage
        WHERE
            hour >= CAST(getvariable('lake_range').day AS DATE)
            AND hour < CAST(getvariable('lake_range').day AS DATE) + INTERVAL 1 DAY
            AND import_no > getvariable('lake_range').after
            AND import_no <= getvariable('lake_range').through
    ) AS b
    INNER JOIN given_zone_offsets AS o ON b.bucket >= o.from_utc AND b.bucket < o.until_utc
)

SELECT
    CASE
        WHEN d.day IS NOT NULL THEN d.day
        ELSE error('no rules for the time zone ' || coalesce(a.timezone, 'UTC') || ' at ' || u.bucket)
    END AS day,
    u.account_id,
    u.domain,
    u.region,
    u.class,
    CAST(sum(u.requests) AS BIGINT) AS requests,
    CAST(sum(u.bytes_sent) AS BIGINT) AS bytes_sent
FROM usage AS u
LEFT JOIN accounts AS a ON u.account_id = a.account_id
LEFT JOIN days AS d ON u.bucket = d.bucket AND d.zone = coalesce(a.timezone, 'UTC')
WHERE
    u.hour >= CAST(getvariable('lake_range').day AS DATE)
    AND u.hour < CAST(getvariable('lake_range').day AS DATE) + INTERVAL 1 DAY
    AND u.import_no > getvariable('lake_range').after
    AND u.import_no <= getvariable('lake_range').through
GROUP BY ALL
ORDER BY account_id, domain, day, region, class;
