-- Answers: empties table json_ids of one partition, before a checkpoint is loaded into it.
-- Grain: all rows of $partition.
-- Reads: json_ids.
DELETE FROM json_ids WHERE partition = $partition
