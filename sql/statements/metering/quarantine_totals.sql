-- Answers: what is in quarantine.
-- Grain: reason x source.
-- Reads: quarantine.
SELECT reason, source, sum(records)::BIGINT, min(first_seen_ms), max(last_seen_ms)
FROM quarantine
WHERE partition = $partition
GROUP BY reason, source
ORDER BY reason, source
