-- Answers: how many rows of usage, as they lie there, each hour has that is not written yet.
-- Grain: one row per hour.
-- Reads: usage.
SELECT epoch_ms(date_trunc('hour', bucket)) AS hour_ms, count(*)
FROM usage
WHERE partition = $partition
GROUP BY hour_ms
