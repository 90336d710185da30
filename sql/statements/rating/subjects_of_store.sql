-- Answers: who is rated, under which price book.
-- Grain: account. Temporary view.
-- Reads: accounts.
CREATE OR REPLACE TEMP VIEW rating_subjects AS
SELECT
    rowid AS account_key, account_id, currency, timezone, price_book, billing_method, opened_at
FROM accounts;
