-- Answers: empties table accepted_batches of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: accepted_batches.
DELETE FROM accepted_batches WHERE partition = $partition
