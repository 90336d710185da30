-- Answers: adds the documents of one journal record.
-- Grain: one row per document.
-- Reads: effect_invoices.
INSERT INTO invoices BY NAME
SELECT
    effect_invoices.*,
    $journal_no::BIGINT AS journal_no
FROM effect_invoices;
