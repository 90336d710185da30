-- Answers: the epochs of the edges of a partition.
-- Grain: one row per edge and epoch.
-- Reads: epochs.
SELECT edge_id, epoch, ordinal, previous_epoch, previous_sequence, batches, requests
FROM epochs
WHERE partition = $partition
ORDER BY edge_id, ordinal
