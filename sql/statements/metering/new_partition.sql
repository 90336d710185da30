-- Answers: the first row of a partition that this file does not know yet.
-- Grain: one row per partition.
-- Reads: nothing.
INSERT INTO partitions
VALUES ($partition, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
