-- What is stored as usage, open and closed, is what was accepted (FAULTS C4).
-- Grain: one row per partition where the two differ.
-- Reads: partitions, usage, hours.
-- Read by: metering/worker/checks.py.
WITH stored AS (
    SELECT partition, sum(requests) AS requests
    FROM (
        SELECT partition, requests FROM usage
        UNION ALL
        SELECT partition, requests FROM hours
    ) AS stored_rows
    GROUP BY partition
)

SELECT p.partition, p.events_accepted, coalesce(s.requests, 0) AS stored
FROM partitions AS p
LEFT JOIN stored AS s ON s.partition = p.partition
WHERE p.events_accepted <> coalesce(s.requests, 0)
