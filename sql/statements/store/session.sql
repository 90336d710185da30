-- A session of billing.duckdb: its settings, its layout, and which journal record its tables have.
-- Run by billing/store, before and after anything else.

-- name: set_memory
-- The session: what does not fit into so much memory goes to disk meanwhile.
SET memory_limit = $limit;

-- name: set_zone
-- The session: UTC is its zone, so that no cast depends on the machine.
SET TimeZone = 'UTC';

-- name: set_order
-- The session: both cores may write. No statement relies on the order of insertion; each that needs
-- an order says ORDER BY.
SET preserve_insertion_order = false;

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
WHERE NOT temporary AND NOT internal
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
