-- Answers: removes the rows of positions that a flush is about to write anew.
-- Grain: all rows of one source of a partition.
-- Reads: positions, changed_positions (Arrow).
DELETE FROM positions
WHERE (partition, source) IN (SELECT (partition, source) FROM changed_positions)
