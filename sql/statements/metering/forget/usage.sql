-- Answers: empties table usage of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: usage.
DELETE FROM usage WHERE partition = $partition
