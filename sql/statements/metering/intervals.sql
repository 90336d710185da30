-- Answers: which sequences of each epoch are held.
-- Grain: one row per unbroken stretch of sequences.
-- Reads: intervals.
SELECT edge_id, epoch, low, high, reach_ms, watermark_ms, noticed_ms
FROM intervals
WHERE partition = $partition
ORDER BY edge_id, epoch, low
