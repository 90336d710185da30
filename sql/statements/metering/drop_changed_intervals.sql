-- Answers: removes the rows of intervals that a flush is about to write anew.
-- Grain: all rows of one edge_id of a partition.
-- Reads: intervals, changed_intervals (Arrow).
DELETE FROM intervals
WHERE (partition, edge_id) IN (SELECT (partition, edge_id) FROM changed_intervals)
