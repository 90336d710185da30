-- Answers: removes the rows of unproven of hours that are being closed.
-- Grain: all rows of the hours.
-- Reads: unproven, closing_hours (Arrow: hour_ms).
DELETE FROM unproven
WHERE partition = $partition AND hour_ms IN (SELECT hour_ms FROM closing_hours)
