-- What a journal record of invoices does to the tables of the store.
-- billing/invoices/appliers.py runs them; effect_* are the record's own tables.
-- Rows are only added; a month is reopened by a void alone.

-- name: gaps_in_series
-- One row per faulty series; none in a sound run. Whether the documents of one journal record leave a gap in a
-- series or use a number twice.
SELECT
    new_numbers.series,
    count(*) AS documents,
    min(new_numbers.number) AS first_number,
    max(new_numbers.number) AS last_number
FROM effect_invoices AS new_numbers
LEFT JOIN invoice_series ON new_numbers.series = invoice_series.series
GROUP BY new_numbers.series, invoice_series.last_number
HAVING
    min(new_numbers.number) <> coalesce(invoice_series.last_number, 0) + 1
    OR max(new_numbers.number) <> coalesce(invoice_series.last_number, 0) + count(DISTINCT new_numbers.number)
    OR count(*) <> count(DISTINCT new_numbers.number);

-- name: move_series
-- One row per series of the record: the last number it gave.
MERGE INTO invoice_series USING (
    SELECT series, max(number) AS last_number
    FROM effect_invoices
    GROUP BY series
) AS given ON invoice_series.series = given.series
WHEN MATCHED THEN UPDATE SET last_number = given.last_number
WHEN NOT MATCHED THEN INSERT (series, last_number) VALUES (given.series, given.last_number);

-- name: insert_heads
-- One row per document. Adds the documents of one journal record.
INSERT INTO invoices BY NAME
SELECT
    effect_invoices.*,
    $journal_no::BIGINT AS journal_no
FROM effect_invoices;

-- name: insert_lines
-- One row per document × line. Adds the lines of one journal record's documents.
INSERT INTO invoice_lines BY NAME
SELECT * FROM effect_invoice_lines;

-- name: insert_detail
-- One row per document × day × domain × class × region. Adds the appendices of one journal record's documents.
INSERT INTO invoice_detail BY NAME
SELECT * FROM effect_invoice_detail;

-- name: new_transfers
-- One row per transfer. The transfers of one journal record's documents, typed for the ledger.
CREATE OR REPLACE TEMP TABLE new_transfers AS
SELECT
    transfer_id,
    debit_account,
    credit_account,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    effective_at,
    reference
FROM effect_invoice_transfers;

-- name: insert_corrections
-- One row per charge. Notes which late charges one journal record's documents carry.
INSERT INTO invoice_corrections BY NAME
SELECT * FROM effect_invoice_corrections;

-- name: insert_issued_months
-- One row per account and month. Marks the months of one journal record's invoices as issued.
INSERT INTO issued_months BY NAME
SELECT
    account_id,
    month,
    $import_no::BIGINT AS import_no,
    invoice_no,
    issued_at,
    $journal_no::BIGINT AS journal_no
FROM effect_invoices;

-- name: reopen_month
-- One row. Makes the month of a void invoice open again, so that it can be issued anew.
DELETE FROM issued_months
WHERE invoice_no = $invoice_no;

-- name: insert_event
-- One row. Notes a change of one document's standing.
INSERT INTO invoice_events BY NAME
SELECT
    $invoice_no::VARCHAR AS invoice_no,
    $status::VARCHAR AS status,
    $changed_at::TIMESTAMP AS changed_at,
    $reason::VARCHAR AS reason,
    $journal_no::BIGINT AS journal_no;

-- name: insert_standing
-- One row per invoice whose standing changed. Notes which invoices payments reach now, and which no longer.
INSERT INTO invoice_events BY NAME
SELECT
    invoice_no,
    status,
    $changed_at::TIMESTAMP AS changed_at,
    reason,
    $journal_no::BIGINT AS journal_no
FROM effect_standing;

-- name: insert_run
-- One row. Notes a run that issued documents.
INSERT INTO invoice_runs BY NAME
SELECT
    $run_id::VARCHAR AS run_id,
    $month::VARCHAR AS month,
    $ran_at::TIMESTAMP AS ran_at,
    $import_no::BIGINT AS import_no,
    $documents::BIGINT AS documents,
    $reason::VARCHAR AS reason,
    $journal_no::BIGINT AS journal_no;

-- name: insert_close_step
-- One row: a step of a month's close, as its journal record says.
INSERT INTO close_steps BY NAME
SELECT
    $month::VARCHAR AS month,
    $step::VARCHAR AS step,
    $happened_at::TIMESTAMP AS happened_at,
    $decided_by::VARCHAR AS decided_by,
    $reason::VARCHAR AS reason,
    $findings::VARCHAR[] AS findings,
    $documents::BIGINT AS documents,
    $journal_no::BIGINT AS journal_no;
