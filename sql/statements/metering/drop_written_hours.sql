-- Answers: removes the rows of hours of hours that are being closed.
-- Grain: all rows of the hours.
-- Reads: hours, closing_hours (Arrow: hour_ms).
DELETE FROM hours
WHERE partition = $partition AND hour_ms IN (SELECT hour_ms FROM closing_hours)
