-- Answers: who is rated anew, under the price book that is tried out.
-- Grain: account. Temporary view.
-- Reads: accounts, given_what_if (book now, book tried).
CREATE OR REPLACE TEMP VIEW rating_subjects AS
SELECT
    a.rowid AS account_key, a.account_id, a.currency, a.timezone, w.tried AS price_book,
    a.billing_method, a.opened_at
FROM accounts AS a
JOIN given_what_if AS w ON w.book = a.price_book;
