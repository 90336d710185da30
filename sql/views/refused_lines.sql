-- Which log lines no edge could read, and why: never counted, kept for a person in spool/EDGE/rejected/.
-- Grain: one row per edge × reason. Edges whose spool metering reads in place; those that ship to Kafka keep their own.
-- Owner: edge.
-- Reads: live_refused.
-- Read by: people (edgetoll sql), sql/queries/lines_refused_by_edge.sql.
CREATE VIEW refused_lines AS
SELECT
    edge_id,
    reason,
    CAST(sum(lines) AS BIGINT) AS lines
FROM live_refused
GROUP BY edge_id, reason
