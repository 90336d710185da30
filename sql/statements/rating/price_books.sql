-- Answers: which price books there are, with their currency.
-- Grain: book. Temporary.
-- Reads: given_books (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_books AS
SELECT book, currency, timezone FROM given_books;
