-- Answers: empties table quarantine of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: quarantine.
DELETE FROM quarantine WHERE partition = $partition
