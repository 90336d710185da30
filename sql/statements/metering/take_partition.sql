-- Answers: makes this worker, by its generation, the owner of a partition in this file.
-- Grain: one row per partition.
-- Reads: partitions.
UPDATE partitions SET generation = $generation
WHERE partition = $partition AND generation < $generation
RETURNING generation
