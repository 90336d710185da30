-- Charges where they stand: the journal's Parquet files, which the session reads as its views `charges` and
-- `transfers`. Run by billing/store/charge_files.py at the start of a session and after each record.
-- A charge stands once (DESIGN §3.7): its file is the truth, its id is made of the row, and it is its own transfer.

-- name: take_in
-- One row: a record's file of charges, or the one that a later record merged it into.
INSERT INTO charge_files
SELECT
    $journal_no,
    coalesce(m.merged_file, f.file),
    coalesce(m.sha256, $sha256),
    $rows,
    $run_id,
    CASE WHEN m.file IS NOT NULL THEN 'merged' WHEN $is_older THEN 'older' ELSE 'of a run' END
FROM (SELECT $file AS file) AS f
LEFT JOIN merged_away AS m ON f.file = m.file;

-- name: list
-- One row per file: what the store says it is.
SELECT journal_no, file, sha256, rows, form
FROM charge_files
ORDER BY journal_no;

-- name: set_places
-- The session: where the files of each form are, in the order of their records, and up to which record merged ones have
-- charges: while records are applied anew, a merged file has those of records that come later.
SET VARIABLE charge_places = {
    'present': [getvariable('home') || '/journal/effects/' || file FOR file IN CAST($present AS VARCHAR[])],
    'merged': [getvariable('home') || '/journal/effects/' || file FOR file IN CAST($merged AS VARCHAR[])],
    'older': [getvariable('home') || '/journal/effects/' || file FOR file IN CAST($older AS VARCHAR[])],
    'through': CAST($through AS BIGINT)
};

-- name: charges
-- no_charges: the shape of a charge as it is filed; no row. filed_charges: one row per charge as its file has it, whole
-- numbers as DECIMAL(38, 0), for sums over many (to make a HUGEINT of each costs ten times the sum). charges: the same
-- with their ids and as HUGEINT. transfers: one row per movement of money, posted by hand or by a charge whose amount is
-- not zero: the customer's funds to revenue, and back when it is negative.
-- The files come after: a view is looked through when it is made, and those above would open a file each.
CREATE OR REPLACE TEMP VIEW no_charges AS
SELECT
    CAST(NULL AS VARCHAR) AS account_id,
    CAST(NULL AS VARCHAR) AS item,
    CAST(NULL AS VARCHAR) AS region,
    CAST(NULL AS VARCHAR) AS month,
    CAST(NULL AS TIMESTAMP) AS period_start,
    CAST(NULL AS TIMESTAMP) AS period_end,
    CAST(NULL AS DECIMAL(38, 0)) AS quantity,
    CAST(NULL AS DECIMAL(38, 0)) AS free_quantity,
    CAST(NULL AS DECIMAL(38, 0)) AS plan_quantity,
    CAST(NULL AS DECIMAL(38, 0)) AS billable_quantity,
    CAST(NULL AS DECIMAL(38, 0)) AS amount,
    CAST(NULL AS VARCHAR) AS currency,
    CAST(NULL AS VARCHAR) AS rate_card,
    CAST(NULL AS INTEGER) AS revision,
    CAST(NULL AS VARCHAR) AS reason,
    CAST(NULL AS VARCHAR) AS run_id,
    CAST(NULL AS BIGINT) AS journal_no,
    CAST(NULL AS VARCHAR) AS term
WHERE false;
CREATE OR REPLACE TEMP VIEW present_charges AS FROM no_charges;
CREATE OR REPLACE TEMP VIEW merged_charges AS FROM no_charges;
CREATE OR REPLACE TEMP VIEW older_charges AS FROM no_charges;
CREATE OR REPLACE TEMP VIEW filed_charges AS
FROM present_charges
UNION ALL
FROM merged_charges
UNION ALL
FROM older_charges;
CREATE OR REPLACE TEMP VIEW charges AS
SELECT
    concat(
        'charge:', account_id, ':', item, ':', region, ':', month, ':',
        strftime(period_start, '%Y-%m-%dT%H:%M'), ':', rate_card, ':r', revision
    ) AS charge_id,
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    CAST(quantity AS HUGEINT) AS quantity,
    CAST(free_quantity AS HUGEINT) AS free_quantity,
    CAST(plan_quantity AS HUGEINT) AS plan_quantity,
    CAST(billable_quantity AS HUGEINT) AS billable_quantity,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    rate_card,
    CAST(revision AS INTEGER) AS revision,
    reason,
    run_id,
    journal_no,
    term
FROM filed_charges;
CREATE OR REPLACE TEMP VIEW transfers AS
SELECT
    transfer_id,
    debit_account,
    credit_account,
    amount,
    currency,
    code,
    account_id,
    effective_at,
    journal_no,
    reference
FROM posted_transfers
UNION ALL
SELECT
    c.charge_id AS transfer_id,
    CASE WHEN c.amount > 0 THEN 'customer:' || c.account_id || ':funds' ELSE 'revenue:' || c.item END
        AS debit_account,
    CASE WHEN c.amount > 0 THEN 'revenue:' || c.item ELSE 'customer:' || c.account_id || ':funds' END
        AS credit_account,
    CAST(abs(c.amount) AS HUGEINT) AS amount,
    c.currency,
    CASE
        WHEN c.rate_card LIKE 'credit/%' THEN 'promotional_credit'
        WHEN c.revision = 0 THEN 'charge'
        ELSE 'correction'
    END AS code,
    c.account_id,
    c.period_end AS effective_at,
    c.journal_no,
    c.month AS reference
FROM charges AS c
WHERE c.amount <> 0;

-- name: with_present
-- One row per charge in files of the present form. The record is read in the name, so that a question about a few
-- records opens their files alone.
CREATE OR REPLACE TEMP VIEW present_charges AS
SELECT
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    amount,
    currency,
    rate_card,
    revision,
    reason,
    run_id,
    CAST(parse_filename(filename)[1:8] AS BIGINT) AS journal_no,
    term
FROM read_parquet(getvariable('charge_places').present, filename = true, hive_partitioning = false);

-- name: with_merged
-- One row per charge in merged files, which have the charges of one record beside each other.
CREATE OR REPLACE TEMP VIEW merged_charges AS
SELECT
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    amount,
    currency,
    rate_card,
    revision,
    reason,
    run_id,
    journal_no,
    term
FROM read_parquet(getvariable('charge_places').merged, hive_partitioning = false)
WHERE journal_no <= getvariable('charge_places').through;

-- name: with_older
-- One row per charge in files of the older form: they do not name their run; the oldest have no terms apart.
CREATE OR REPLACE TEMP VIEW older_charges AS
SELECT
    c.account_id,
    c.item,
    c.region,
    c.month,
    c.period_start,
    c.period_end,
    c.quantity,
    c.free_quantity,
    c.plan_quantity,
    c.billable_quantity,
    c.amount,
    c.currency,
    c.rate_card,
    c.revision,
    c.reason,
    f.run_id,
    f.journal_no,
    coalesce(c.term, 'usage') AS term
FROM (
    FROM read_parquet(
        getvariable('charge_places').older, filename = true, hive_partitioning = false, union_by_name = true
    )
    UNION ALL BY NAME SELECT 'usage' AS term WHERE false
) AS c
INNER JOIN charge_files AS f ON CAST(parse_filename(c.filename)[1:8] AS BIGINT) = f.journal_no;

-- name: merged_into
-- At most one row: the file that has the rows of a file of charges that is gone.
SELECT merged_file
FROM merged_away
WHERE file = $file;
