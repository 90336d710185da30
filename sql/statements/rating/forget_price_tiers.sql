-- Answers: nothing; empties price_tiers before they are written again from the price books.
-- Grain: all rows.
-- Reads: price_tiers.
DELETE FROM price_tiers;
