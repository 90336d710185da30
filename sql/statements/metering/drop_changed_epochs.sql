-- Answers: removes the rows of epochs that a flush is about to write anew.
-- Grain: all rows of one edge_id of a partition.
-- Reads: epochs, changed_epochs (Arrow).
DELETE FROM epochs
WHERE (partition, edge_id) IN (SELECT (partition, edge_id) FROM changed_epochs)
