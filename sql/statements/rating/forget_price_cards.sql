-- Answers: nothing; empties price_cards before they are written again from the price books.
-- Grain: all rows.
-- Reads: price_cards.
DELETE FROM price_cards;
