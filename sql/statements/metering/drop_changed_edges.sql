-- Answers: removes the rows of edges that a flush is about to write anew.
-- Grain: all rows of one edge_id of a partition.
-- Reads: edges, changed_edges (Arrow).
DELETE FROM edges
WHERE (partition, edge_id) IN (SELECT (partition, edge_id) FROM changed_edges)
