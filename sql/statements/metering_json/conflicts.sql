-- Answers: the events whose id was counted with other content, for a person (at most 1,000).
-- Grain: one row per event.
-- Reads: json_judged.
SELECT source, id, time_ms, domain, status, bytes_sent
FROM json_judged
WHERE verdict = 'conflict'
ORDER BY place
LIMIT 1000
