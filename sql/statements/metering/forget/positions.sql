-- Answers: empties table positions of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: positions.
DELETE FROM positions WHERE partition = $partition
