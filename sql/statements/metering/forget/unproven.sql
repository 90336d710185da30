-- Answers: empties table unproven of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: unproven.
DELETE FROM unproven WHERE partition = $partition
