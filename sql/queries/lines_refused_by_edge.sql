-- Which edges write log lines that cannot be read, and why?
-- Grain: one row per edge × reason.
-- Reads: refused_lines.
-- Chart: bar, edge_id, lines, reason
-- Read by: people (edgetoll query).
SELECT
    edge_id,
    reason,
    lines
FROM refused_lines
ORDER BY lines DESC, edge_id, reason

-- Sample:
-- edgetoll query lines_refused_by_edge
-- | edge_id | reason | lines |
-- | --- | --- | ---: |
