-- Answers: which hours hold usage that is not written to a closed file yet, and how much.
-- Grain: one row per hour.
-- Reads: usage.
SELECT epoch_ms(date_trunc('hour', bucket)) AS hour_ms, sum(requests)::BIGINT
FROM usage
WHERE partition = $partition
GROUP BY hour_ms
ORDER BY hour_ms
