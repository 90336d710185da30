-- Lists what can be asked: the public views and their columns.
-- One row per view.
-- Reads DuckDB's catalogue.
SELECT
    c.table_name AS view_name,
    string_agg(c.column_name, ', ' ORDER BY c.column_index) AS columns
FROM duckdb_columns() AS c
INNER JOIN duckdb_views() AS v ON c.table_oid = v.view_oid
WHERE NOT v.internal
    AND NOT starts_with(v.view_name, 'lake_')
    AND NOT starts_with(v.view_name, 'live_')
    AND v.view_name <> 'closed_usage'
GROUP BY c.table_name
ORDER BY c.table_name
