-- Answers: empties table epochs of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: epochs.
DELETE FROM epochs WHERE partition = $partition
