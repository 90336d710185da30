-- A reader of one account: its rows are copied out of everybody's, which are then dropped. Run by
-- billing/lake/one_account.py, in a DuckDB of the reader's own. Relations that have an account_id are filtered by it
-- there; here stand those that have none, or more than the account's own rows that it may see.

-- name: open
-- No rows: what is made next holds everybody's rows.
CREATE SCHEMA everyone;
USE everyone;

-- name: shut
-- No rows: everybody's rows are gone, what is made next is the reader's.
USE main;
DROP SCHEMA everyone CASCADE;

-- name: name
-- One session: whose rows they are.
SET VARIABLE reader_account = $account;

-- name: is_there
-- One row when there is that account.
SELECT account_id
FROM everyone.lake_accounts
WHERE account_id = getvariable('reader_account');

-- name: lake_invoice_lines
-- One row per line of the account's invoices.
SELECT l.*
FROM everyone.lake_invoice_lines AS l
SEMI JOIN everyone.lake_invoices AS i
    ON l.invoice_no = i.invoice_no AND i.account_id = getvariable('reader_account');

-- name: lake_invoice_corrections
-- One row per charge that a line of the account's invoices corrects.
SELECT l.*
FROM everyone.lake_invoice_corrections AS l
SEMI JOIN everyone.lake_invoices AS i
    ON l.invoice_no = i.invoice_no AND i.account_id = getvariable('reader_account');

-- name: lake_invoice_usage
-- One row per domain, class and region of the account's invoices.
SELECT l.*
FROM everyone.lake_invoice_usage AS l
SEMI JOIN everyone.lake_invoices AS i
    ON l.invoice_no = i.invoice_no AND i.account_id = getvariable('reader_account');

-- name: lake_prices
-- One row per tier of the account's price book: list prices and its own, not those agreed with others.
SELECT p.*
FROM everyone.lake_prices AS p
SEMI JOIN everyone.lake_accounts AS a
    ON p.book = a.price_book AND a.account_id = getvariable('reader_account')
WHERE p.account_id IS NULL OR p.account_id = getvariable('reader_account');

-- name: lake_price_labels
-- One row per label of a region in the account's price book.
SELECT p.*
FROM everyone.lake_price_labels AS p
SEMI JOIN everyone.lake_accounts AS a
    ON p.book = a.price_book AND a.account_id = getvariable('reader_account');

-- name: lake_tags
-- One row per tagged thing of the account: itself, and the domains that were its own last.
SELECT t.*
FROM everyone.lake_tags AS t
WHERE (t.kind = 'account' AND t.subject = getvariable('reader_account'))
    OR (t.kind = 'domain' AND t.subject IN (
        SELECT d.domain
        FROM everyone.lake_domains AS d
        GROUP BY d.domain
        HAVING arg_max(d.account_id, d.effective_from) = getvariable('reader_account')
    ));

-- name: lake_zone_offsets
-- One row per stretch of one offset of the account's time zone, and UTC.
SELECT z.*
FROM everyone.lake_zone_offsets AS z
WHERE z.zone = 'UTC' OR z.zone IN (
    SELECT a.timezone FROM everyone.lake_accounts AS a WHERE a.account_id = getvariable('reader_account')
);
