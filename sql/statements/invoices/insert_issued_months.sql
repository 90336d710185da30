-- Answers: marks the months of one journal record's invoices as issued.
-- Grain: one row per account and month.
-- Reads: effect_invoices.
INSERT INTO issued_months BY NAME
SELECT
    account_id,
    month,
    $import_no::BIGINT AS import_no,
    invoice_no,
    issued_at,
    $journal_no::BIGINT AS journal_no
FROM effect_invoices
WHERE kind = 'invoice';
