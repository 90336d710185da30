-- Answers: empties table hour_batches of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: hour_batches.
DELETE FROM hour_batches WHERE partition = $partition
