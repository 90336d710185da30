-- Answers: nothing; every change of the past has been rated.
-- Grain: all rows.
-- Reads: rating_changes.
DELETE FROM rating_changes;
