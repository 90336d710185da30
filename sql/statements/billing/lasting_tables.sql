-- Answers: which tables the billing store keeps.
-- Grain: one row per table.
-- Reads: DuckDB's catalogue.
SELECT table_name
FROM duckdb_tables()
WHERE NOT temporary AND NOT internal
ORDER BY table_name;
