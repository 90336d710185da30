-- Answers: empties table edges of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: edges.
DELETE FROM edges WHERE partition = $partition
