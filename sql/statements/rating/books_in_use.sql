-- Answers: which price books accounts have, and in which currency they pay.
-- Grain: price book × currency.
-- Reads: accounts.
SELECT price_book, currency, count(*) FROM accounts GROUP BY ALL ORDER BY ALL;
