-- Answers: which local month and which stretch of unchanged prices (epoch) a 5-minute bucket is in, and
-- which piece of its hour the month leaves it (+5:45 cuts a month inside a UTC hour).
-- Grain: time zone × bucket. Temporary.
-- Reads: rating_months, price_force.
CREATE OR REPLACE TEMP TABLE rating_buckets AS
WITH changes AS (
    SELECT force_from AS edge FROM price_force
    UNION
    SELECT force_until FROM price_force
    UNION
    SELECT TIMESTAMP '1970-01-01'
), epochs AS (
    SELECT
        edge AS starts_at,
        lead(edge, 1, TIMESTAMP '9999-12-31') OVER (ORDER BY edge) AS ends_at
    FROM changes
), ticks AS (
    SELECT unnest(generate_series(
        $since::TIMESTAMP, $through::TIMESTAMP - INTERVAL 5 MINUTE, INTERVAL 5 MINUTE
    )) AS bucket
)
SELECT
    m.timezone, t.bucket, m.number AS month, e.starts_at AS epoch,
    greatest(date_trunc('hour', t.bucket), m.starts_at) AS piece_from,
    least(date_trunc('hour', t.bucket) + INTERVAL 1 HOUR, m.ends_at) AS piece_until
FROM ticks AS t
JOIN epochs AS e ON t.bucket >= e.starts_at AND t.bucket < e.ends_at
JOIN rating_months AS m ON t.bucket >= m.starts_at AND t.bucket < m.ends_at;
