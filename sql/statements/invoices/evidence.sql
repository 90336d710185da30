-- Answers: how complete the usage of the month was proved to be, for each time zone.
-- Grain: one row per time zone.
-- Reads: imported_files, invoice_zones. The hash names the usage: each file's hour, state and data hash in order.
-- A certificate of a run of empty hours covers all of them; an hour is what its last revision says.
CREATE OR REPLACE TEMP TABLE invoice_evidence AS
WITH files AS (
    SELECT
        zones.timezone,
        files.hour,
        files.partition,
        files.revision,
        files.state,
        files.data_sha256,
        greatest(
            coalesce(CAST(files.certificate ->> '$.empty_since' || ':00:00' AS TIMESTAMP), files.hour),
            date_trunc('hour', zones.period_start)
        ) AS first_hour,
        least(files.hour + INTERVAL 1 HOUR, zones.period_end) AS covered_until
    FROM imported_files AS files
    INNER JOIN invoice_zones AS zones ON files.hour + INTERVAL 1 HOUR > zones.period_start
    WHERE files.import_no <= $import_no AND NOT files.too_old AND first_hour < zones.period_end
),

covered AS (
    SELECT
        timezone,
        partition,
        revision,
        state,
        unnest(range(first_hour, covered_until, INTERVAL 1 HOUR)) AS hour
    FROM files
),

newest AS (
    SELECT timezone, hour, max_by(state, revision) AS state
    FROM covered
    GROUP BY timezone, hour, partition
),

counted AS (
    SELECT
        timezone,
        count(DISTINCT hour) AS hours,
        count(DISTINCT hour) FILTER (state = 'incomplete') AS incomplete_hours
    FROM newest
    GROUP BY timezone
),

hashed AS (
    SELECT
        timezone,
        count(*) AS certificates,
        string_agg(
            concat_ws(' ', strftime(hour, '%Y-%m-%dT%H'), partition, revision, state, data_sha256),
            chr(10) ORDER BY hour, partition, revision
        ) AS hashes
    FROM files
    GROUP BY timezone
)

SELECT
    zones.timezone,
    coalesce(counted.hours, 0) AS hours,
    coalesce(counted.incomplete_hours, 0) AS incomplete_hours,
    coalesce(hashed.certificates, 0) AS certificates,
    sha256(coalesce(hashed.hashes, '')) AS usage_sha256
FROM invoice_zones AS zones
LEFT JOIN counted ON zones.timezone = counted.timezone
LEFT JOIN hashed ON zones.timezone = hashed.timezone;
