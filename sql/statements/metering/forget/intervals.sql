-- Answers: empties table intervals of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: intervals.
DELETE FROM intervals WHERE partition = $partition
