-- Answers: what is stored of a flush, asked after COMMIT before anything outside is told.
-- Grain: one row per source of a partition; one row without source when it has none.
-- Reads: partitions, positions.
SELECT p.partition, p.generation, p.flush_no, s.source, s.position
FROM partitions AS p
LEFT JOIN positions AS s ON s.partition = p.partition
