-- Answers: empties table hours of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: hours.
DELETE FROM hours WHERE partition = $partition
