-- As many sequences are held as batches were accepted (FAULTS C1): the rest are visible gaps.
-- Grain: one row per edge and epoch where the two differ.
-- Reads: epochs, intervals.
-- Read by: metering/worker/checks.py.
WITH held AS (
    SELECT partition, edge_id, epoch, sum(high - low + 1) AS sequences
    FROM intervals
    GROUP BY partition, edge_id, epoch
)

SELECT e.partition, e.edge_id, e.epoch, e.batches, coalesce(h.sequences, 0) AS sequences
FROM epochs AS e
LEFT JOIN held AS h
    ON h.partition = e.partition AND h.edge_id = e.edge_id AND h.epoch = e.epoch
WHERE e.batches <> coalesce(h.sequences, 0)
