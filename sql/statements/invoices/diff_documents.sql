-- Answers: which documents were issued after one journal record and up to another.
-- Grain: one row per document.
-- Reads: invoices.
SELECT
    invoice_no,
    kind,
    account_id,
    month,
    currency,
    total,
    reason
FROM invoices
WHERE journal_no > $after AND journal_no <= $through
ORDER BY journal_no, series, number;
