-- Answers: adds the rejected records of one flush to the quarantine's counts.
-- Grain: partition x reason x source; rows of one key add up when read.
-- Reads: noted (Arrow).
INSERT INTO quarantine
SELECT partition, reason, source, records, first_seen_ms, last_seen_ms
FROM noted
