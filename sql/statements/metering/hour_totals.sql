-- Answers: the closed hours of a partition with their counts.
-- Grain: one row per closed hour.
-- Reads: hours.
SELECT hour_ms, revision, state, requests, late, missing, empty_since_ms
FROM hours
WHERE partition = $partition
ORDER BY hour_ms
