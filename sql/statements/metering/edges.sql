-- Answers: the edges of a partition.
-- Grain: one row per edge.
-- Reads: edges.
SELECT edge_id, region, expected_from_ms, advanced_ms, last_epoch, last_sequence
FROM edges
WHERE partition = $partition
ORDER BY edge_id
