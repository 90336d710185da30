-- Answers: which sources have accepted JSON events in which hour.
-- Grain: hour x source.
-- Reads: json_judged.
SELECT DISTINCT time_ms // 3600000 * 3600000 AS hour_ms, source
FROM json_judged
WHERE verdict = 'accepted'
