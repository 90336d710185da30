-- Answers: nothing; lets the memory of rating_priced go as soon as nothing needs it.
-- Grain: the table.
-- Reads: nothing.
DROP TABLE rating_priced;
