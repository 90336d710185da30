-- Answers: sets aside what is known of hours that get another revision.
-- Grain: one row per hour.
-- Reads: hours, closing_hours (Arrow: hour_ms).
CREATE OR REPLACE TEMP TABLE hours_before AS
SELECT hour_ms, requests, late, empty_since_ms
FROM hours
WHERE partition = $partition AND hour_ms IN (SELECT hour_ms FROM closing_hours)
