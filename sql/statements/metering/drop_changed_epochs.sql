-- Answers: removes the rows of epochs that a flush is about to write anew.
-- Grain: all rows of one edge_id.
-- Reads: epochs, changed_epochs (Arrow).
DELETE FROM epochs WHERE partition = $partition AND edge_id IN (SELECT edge_id FROM changed_epochs)
