-- Merging files of charges of months long past: which may be, their rows as one file, and whether that file has what they had.
-- Run by billing/prune/merging.py. Reads: charge_files, runs, effect_merged_charges.

-- name: files_to_merge
-- One row per file of a run that rated hours before $before alone, with the month of its last hour.
SELECT
    strftime(r.through_hour - INTERVAL 1 HOUR, '%Y-%m') AS month,
    f.journal_no,
    f.file,
    f.sha256,
    f.rows,
    f.form
FROM charge_files AS f
INNER JOIN runs AS r ON f.journal_no = r.journal_no
WHERE f.form = 'of a run' AND r.through_hour <= $before
ORDER BY f.journal_no;

-- name: set_merging
-- The session: where the files to be merged lie.
SET VARIABLE merging = $paths;

-- name: charges_to_merge
-- One row per charge of the files at hand. The record comes first, so that what is written in order has the charges of one
-- record beside each other.
CREATE OR REPLACE TEMP VIEW charges_to_merge AS
SELECT
    journal_no,
    * EXCLUDE (journal_no)
FROM read_parquet(getvariable('merging'), hive_partitioning = false);

-- name: sums
-- One row per record and currency: what is merged.
SELECT
    journal_no,
    currency,
    count(*) AS charges,
    CAST(sum(amount) AS VARCHAR) AS amount
FROM charges_to_merge
GROUP BY journal_no, currency
ORDER BY journal_no, currency;

-- name: differs
-- One row per record whose charges in the merged file are not what its old file had, or the store takes for it.
WITH merge AS (
    SELECT
        from_json(
            CAST($merge AS JSON) -> 'files', '[{"journal_no":"BIGINT","file":"VARCHAR","sha256":"VARCHAR","rows":"BIGINT"}]'
        ) AS files,
        from_json(
            CAST($merge AS JSON) -> 'sums',
            '[{"journal_no":"BIGINT","currency":"VARCHAR","charges":"BIGINT","amount":"VARCHAR"}]'
        ) AS sums
),

files AS (
    SELECT unnest(files, recursive := true) FROM merge
),

said AS (
    SELECT unnest(sums, recursive := true) FROM merge
),

there AS (
    SELECT
        journal_no,
        currency,
        count(*) AS charges,
        CAST(sum(amount) AS VARCHAR) AS amount
    FROM effect_merged_charges
    GROUP BY journal_no, currency
)

SELECT coalesce(s.journal_no, t.journal_no) AS journal_no
FROM said AS s
FULL JOIN there AS t ON s.journal_no = t.journal_no AND s.currency = t.currency
WHERE s.charges IS DISTINCT FROM t.charges OR s.amount IS DISTINCT FROM t.amount
UNION ALL
SELECT f.journal_no
FROM files AS f
LEFT JOIN (SELECT journal_no, sum(charges) AS charges FROM said GROUP BY journal_no) AS s ON f.journal_no = s.journal_no
WHERE f.rows <> coalesce(s.charges, 0)
ORDER BY journal_no
LIMIT 1;

-- name: let_go
-- The files of the records $numbers go.
DELETE FROM charge_files WHERE list_contains($numbers, journal_no);

-- name: take_in
-- One row: the merged file.
INSERT INTO charge_files VALUES ($journal_no, $file, $sha256, $rows, '', 'merged');
