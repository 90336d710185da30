-- Which edges write log lines that cannot be read, and why?
-- Grain: one row per edge × reason.
-- Reads: refused_lines.
-- Read by: people (edgetoll query).
-- Chart: bar, edge_id, lines, reason
SELECT
    edge_id,
    reason,
    lines
FROM refused_lines
ORDER BY lines DESC, edge_id, reason
