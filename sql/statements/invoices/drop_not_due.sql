-- Answers: leaves only the accounts that can be issued now.
-- Grain: one row per account.
-- Reads: invoice_due.
DELETE FROM invoice_due
WHERE is_held OR is_changed OR NOT is_ready;
