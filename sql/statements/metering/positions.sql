-- Answers: how far each source of a partition was read.
-- Grain: one row per source.
-- Reads: positions.
SELECT source, position, epoch, sequence
FROM positions
WHERE partition = $partition
