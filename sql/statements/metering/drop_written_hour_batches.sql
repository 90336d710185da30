-- Answers: removes the rows of hour_batches of hours that are being closed.
-- Grain: all rows of the hours.
-- Reads: hour_batches, closing_hours (Arrow: hour_ms).
DELETE FROM hour_batches
WHERE partition = $partition AND hour_ms IN (SELECT hour_ms FROM closing_hours)
