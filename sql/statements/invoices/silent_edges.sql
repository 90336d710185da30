-- Answers: which edges keep the hours of [$start, $end) open.
-- Grain: one row per edge.
-- Reads: the file $path (live/hours.parquet, written by metering).
SELECT DISTINCT unnest(missing_edges) AS edge_id
FROM read_parquet($path)
WHERE hour >= $start::TIMESTAMP AND hour < $end::TIMESTAMP AND state = 'open'
ORDER BY edge_id;
