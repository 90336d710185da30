-- Answers: which billing region each region label means in the present price books.
-- Grain: book × label. Temporary.
-- Reads: price_regions.
CREATE OR REPLACE TEMP TABLE rating_out_price_labels AS
SELECT book, label, region FROM price_regions;
