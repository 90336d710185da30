-- Answers: notes which invoices payments reach now, and which no longer.
-- Grain: one row per invoice whose standing changed.
-- Reads: effect_standing.
INSERT INTO invoice_events BY NAME
SELECT
    invoice_no,
    status,
    $changed_at::TIMESTAMP AS changed_at,
    reason,
    $journal_no::BIGINT AS journal_no
FROM effect_standing;
