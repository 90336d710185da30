-- Which edges write log lines that cannot be read, and why?
-- Grain: one row per edge × reason.
-- Reads: refused_lines.
-- Parameter edge (text, all): one edge, or all of them
-- Chart: bar, edge_id, lines, reason
-- Read by: people (edgetoll query).
SELECT
    edge_id,
    reason,
    lines
FROM refused_lines
WHERE $edge IN ('all', edge_id)
ORDER BY lines DESC, edge_id, reason

-- Sample:
-- edgetoll query lines_refused_by_edge --param edge=edge-1
-- | edge_id | reason | lines |
-- | --- | --- | ---: |
