-- Answers: nothing; empties price_labels before they are written again from the price books.
-- Grain: all rows.
-- Reads: price_labels.
DELETE FROM price_labels;
