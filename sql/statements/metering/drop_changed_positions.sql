-- Answers: removes the rows of positions that a flush is about to write anew.
-- Grain: all rows of one source.
-- Reads: positions, changed_positions (Arrow).
DELETE FROM positions WHERE partition = $partition AND source IN (SELECT source FROM changed_positions)
