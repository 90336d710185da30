-- The batches of all epochs are the batches accepted (single JSON messages are units of their own).
-- Grain: one row per partition without such messages where the two differ.
-- Reads: partitions, epochs, unproven.
-- Read by: metering/worker/checks.py.
WITH held AS (
    SELECT partition, sum(batches) AS batches
    FROM epochs
    GROUP BY partition
)

SELECT p.partition, p.batches_accepted, coalesce(h.batches, 0) AS held
FROM partitions AS p
LEFT JOIN held AS h ON h.partition = p.partition
WHERE p.batches_accepted < coalesce(h.batches, 0)
