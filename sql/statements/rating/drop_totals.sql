-- Answers: nothing; lets the memory of rating_totals go as soon as nothing needs it.
-- Grain: the table.
-- Reads: nothing.
DROP TABLE rating_totals;
