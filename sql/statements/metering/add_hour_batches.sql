-- Answers: adds which batches of one flush hold events of which hour.
-- Grain: partition x hour x edge x epoch; rows of one key are joined when read.
-- Reads: noted (Arrow).
INSERT INTO hour_batches
SELECT partition, hour_ms, edge_id, epoch, first_sequence, last_sequence, batches, events
FROM noted
