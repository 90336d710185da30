-- Answers: which batches of which edge hold the usage of some hours that is not written yet.
-- Grain: hour x edge x epoch.
-- Reads: hour_batches, closing_hours (Arrow: hour_ms).
SELECT
    b.hour_ms, b.edge_id, b.epoch,
    min(b.first_sequence), max(b.last_sequence), sum(b.batches)::BIGINT, sum(b.events)::BIGINT
FROM hour_batches AS b
SEMI JOIN closing_hours AS c ON c.hour_ms = b.hour_ms
WHERE b.partition = $partition
GROUP BY b.hour_ms, b.edge_id, b.epoch
ORDER BY b.hour_ms, b.edge_id, b.epoch
