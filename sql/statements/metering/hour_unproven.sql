-- Answers: the sources without a promise that have usage in some hours.
-- Grain: hour x source.
-- Reads: unproven, closing_hours (Arrow: hour_ms).
SELECT u.hour_ms, u.source
FROM unproven AS u
SEMI JOIN closing_hours AS c ON c.hour_ms = u.hour_ms
WHERE u.partition = $partition
ORDER BY u.hour_ms, u.source
