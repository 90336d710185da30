-- Answers: nothing; lets the memory of rating_input go as soon as nothing needs it.
-- Grain: the table.
-- Reads: nothing.
DROP TABLE rating_input;
