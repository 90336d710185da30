-- Answers: removes the rows of intervals that a flush is about to write anew.
-- Grain: all rows of one edge_id.
-- Reads: intervals, changed_intervals (Arrow).
DELETE FROM intervals WHERE partition = $partition AND edge_id IN (SELECT edge_id FROM changed_intervals)
