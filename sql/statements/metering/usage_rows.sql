-- Answers: how many rows the open usage of a partition has, as they lie there.
-- Grain: one row.
-- Reads: usage.
SELECT count(*) FROM usage WHERE partition = $partition
