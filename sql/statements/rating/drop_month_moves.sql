-- Answers: nothing; lets the memory of month_moves go.
-- Grain: the table.
-- Reads: nothing.
DROP TABLE month_moves;
