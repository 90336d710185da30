-- Answers: removes the usage of hours whose closed file holds it now.
-- Grain: all rows of the hours.
-- Reads: usage, closing_hours (Arrow: hour TIMESTAMP).
DELETE FROM usage
WHERE partition = $partition AND date_trunc('hour', bucket) IN (SELECT hour FROM closing_hours)
