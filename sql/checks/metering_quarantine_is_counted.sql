-- The quarantine's records are the events that ended there.
-- Grain: one row per partition where the two differ.
-- Reads: partitions, quarantine.
-- Read by: metering/worker/checks.py.
WITH kept AS (
    SELECT partition, sum(records) AS records
    FROM quarantine
    GROUP BY partition
)

SELECT p.partition, p.events_quarantined, coalesce(k.records, 0) AS records
FROM partitions AS p
LEFT JOIN kept AS k ON k.partition = p.partition
WHERE p.events_quarantined <> coalesce(k.records, 0)
