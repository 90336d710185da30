-- What stands outside the store and must be known to it. Run by billing/older_copy.py at a start that
-- does not find the home as billing left it.

-- name: issued_numbers
-- One row per document ever issued: its number.
SELECT invoice_no FROM invoices;
