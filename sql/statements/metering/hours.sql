-- Answers: the closed hours of a partition.
-- Grain: one row per closed hour, its newest revision.
-- Reads: hours.
SELECT hour_ms, revision, state, closed_ms, empty_since_ms
FROM hours
WHERE partition = $partition
