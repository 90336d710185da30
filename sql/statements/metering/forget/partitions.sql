-- Answers: empties table partitions of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: partitions.
DELETE FROM partitions WHERE partition = $partition
