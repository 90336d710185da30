-- The batches noted for an hour hold its usage that is not written yet; JSON sources hold the rest.
-- Grain: one row per hour where the batches hold more, or less though there is no JSON source.
-- Reads: usage, hour_batches, unproven.
-- Read by: metering/worker/checks.py.
WITH open_usage AS (
    SELECT partition, epoch_ms(date_trunc('hour', bucket)) AS hour_ms, sum(requests) AS requests
    FROM usage
    GROUP BY partition, hour_ms
),

noted AS (
    SELECT partition, hour_ms, sum(events) AS events
    FROM hour_batches
    GROUP BY partition, hour_ms
),

without_promise AS (
    SELECT partition, hour_ms
    FROM unproven
    GROUP BY partition, hour_ms
)

SELECT
    coalesce(u.partition, n.partition) AS partition,
    coalesce(u.hour_ms, n.hour_ms) AS hour_ms,
    coalesce(u.requests, 0) AS requests,
    coalesce(n.events, 0) AS events
FROM open_usage AS u
FULL JOIN noted AS n ON n.partition = u.partition AND n.hour_ms = u.hour_ms
LEFT JOIN without_promise AS w ON w.partition = u.partition AND w.hour_ms = u.hour_ms
WHERE coalesce(n.events, 0) > coalesce(u.requests, 0)
    OR (coalesce(n.events, 0) < coalesce(u.requests, 0) AND w.hour_ms IS NULL)
