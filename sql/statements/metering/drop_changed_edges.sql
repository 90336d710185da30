-- Answers: removes the rows of edges that a flush is about to write anew.
-- Grain: all rows of one edge_id.
-- Reads: edges, changed_edges (Arrow).
DELETE FROM edges WHERE partition = $partition AND edge_id IN (SELECT edge_id FROM changed_edges)
