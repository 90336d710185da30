-- Answers: nothing; empties price_periods before they are written again from the price books.
-- Grain: all rows.
-- Reads: price_periods.
DELETE FROM price_periods;
