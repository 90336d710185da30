-- Reading the lake: what a reader's own in-memory DuckDB needs beside the views. Run by
-- billing/lake/query.py, list_views for people who ask what there is.

-- name: create_closed_hour_list
-- One row per partition and closed hour, filled from the names of the closed files, so that views
-- drop the live rows of hours that are closed.
CREATE TABLE closed_hour_list (partition VARCHAR, hour TIMESTAMP);

-- name: add_closed_hours
-- One row per partition and hour. Two texts of equally many words: DuckDB takes a list value by
-- value, slowly.
INSERT INTO closed_hour_list (partition, hour)
SELECT
    unnest(string_split($partitions, ' ')),
    unnest(string_split($hours, ' '))::TIMESTAMP;

-- name: create_live_file_names
-- One row per file of live usage: where this reader holds it open, and its name in live/.
CREATE TABLE live_file_names (place VARCHAR, name VARCHAR);

-- name: add_live_file_names
-- One row per file. Two texts of equally many lines.
INSERT INTO live_file_names (place, name)
SELECT
    unnest(string_split($places, chr(10))),
    unnest(string_split($names, chr(10)));

-- name: live_usage
-- One row per row of live usage, with the name of its file.
CREATE VIEW live_usage AS
SELECT f.* REPLACE (n.name AS filename)
FROM live_usage_files AS f
INNER JOIN live_file_names AS n ON f.filename = n.place;

-- name: imported_hours_are_closed
-- One row per partition and hour that billing imported, for the file that other tools attach: live rows of hours that
-- are closed and not imported yet are shown from live/. Run by billing/analysts/attach.py.
CREATE VIEW closed_hour_list AS
SELECT DISTINCT partition, hour
FROM lake_imported_files;

-- name: list_views
-- One row per public view, with its columns: what `edgetoll sql` without a query prints.
SELECT
    c.table_name AS view_name,
    string_agg(c.column_name, ', ' ORDER BY c.column_index) AS columns
FROM duckdb_columns() AS c
INNER JOIN duckdb_views() AS v ON c.table_oid = v.view_oid
WHERE NOT v.internal
    AND NOT starts_with(v.view_name, 'lake_')
    AND NOT starts_with(v.view_name, 'live_')
    AND v.view_name NOT IN ('closed_usage', 'closed_hour_list')
GROUP BY c.table_name
ORDER BY c.table_name;

-- name: memory_limit
-- One row: how much memory this session may take, as «286.1 MiB».
SELECT current_setting('memory_limit') AS memory_limit

-- name: lake_account_states
-- One row per account: as the table was written whole, but for those that moved since.
CREATE VIEW lake_account_states AS
SELECT w.*
FROM lake_account_states_whole AS w
ANTI JOIN lake_account_states_moved AS m ON w.account_id = m.account_id
UNION ALL BY NAME
FROM lake_account_states_moved;

-- name: lake_accounts
-- One row per account: as the table was written whole, but for those that moved since.
CREATE VIEW lake_accounts AS
SELECT w.*
FROM lake_accounts_whole AS w
ANTI JOIN lake_accounts_moved AS m ON w.account_id = m.account_id
UNION ALL BY NAME
FROM lake_accounts_moved;

-- name: begin_copies
-- No rows: what is made next has its files at hand.
CREATE SCHEMA of_files;
USE of_files;

-- name: end_copies
-- No rows: the files are gone, what was copied to main stays.
USE main;
DROP SCHEMA of_files CASCADE;
