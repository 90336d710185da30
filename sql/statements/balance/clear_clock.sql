-- Answers: removes the clock row that the same transaction replaces.
-- Grain: one row.
-- Reads: nothing.
DELETE FROM balance_clock;
