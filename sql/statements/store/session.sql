-- A session of billing.duckdb: its settings, its layout, and which journal record its tables have.
-- Run by billing/store, before and after anything else.

-- name: set_overflow
-- The engine: what does not fit into memory goes to this folder meanwhile.
SET temp_directory = $folder;

-- name: be_small
-- The engine, for small stores: one thread, as waking others costs more than they do; and it keeps nothing of files that it
-- read, since it outlives its session.
SET threads = 1;
SET enable_external_file_cache = false;

-- name: attach
-- The store's file, $path, which may be a new one. That is not laid out for DuckDB 1.0 to read: it would have 3 KB a column
-- to count distinct values, 3.7 MB in place of 0.8 for an empty store, and take 4 ms longer to open.
ATTACH $path AS store (STORAGE_VERSION 'v1.5.0');

-- name: detach
-- The store's file is let go of; what was changed goes from the WAL into it.
DETACH store;

-- name: begin
-- The session: the store's tables are meant by their names alone. UTC is its zone, so that no cast depends on the machine.
-- Both cores may write: no statement relies on the order of insertion; each that needs an order says ORDER BY.
USE store;
SET TimeZone = 'UTC';
SET preserve_insertion_order = false;

-- name: set_memory
-- The session: what does not fit into so much memory goes to disk meanwhile.
SET memory_limit = $limit;

-- name: keep_order
-- The session, until lose_order: rows that come in order are written in order, by both cores too; names are looked up in the
-- tables that the view joins to its first, never the other way.
SET preserve_insertion_order = true;
SET disabled_optimizers = 'join_order,build_side_probe_side';

-- name: lose_order
-- The session as it was.
SET preserve_insertion_order = false;
RESET disabled_optimizers;

-- name: set_home
-- The session: which home it belongs to, for appliers that read closed hours.
SET VARIABLE home = $home;

-- name: lasting_tables
-- One row per table that the store keeps.
SELECT table_name
FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal
ORDER BY table_name;

-- name: store_layout
-- One row: what the tables of this store look like (billing.store.layout).
SELECT layout FROM store_layout;

-- name: note_store_layout
-- One row, if there is none: what the tables of a new store look like.
INSERT INTO store_layout SELECT $layout WHERE NOT EXISTS (FROM store_layout);

-- name: rows_of_file
-- One row: how many rows a Parquet file has, by its footer.
SELECT num_rows FROM parquet_file_metadata($path);

-- name: given_rows
-- One row per row given as JSON, with the columns that the structure names.
SELECT unnest(from_json_strict($rows, $structure), recursive := true);

-- name: journal_state
-- One row: the last journal record applied, and its hash.
SELECT last_no, last_hash FROM journal_state;

-- name: move_journal_state
-- One row: the record that the tables have from now on; part of the transaction that applies it.
UPDATE journal_state SET last_no = $number, last_hash = $hash;
