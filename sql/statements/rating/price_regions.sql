-- Answers: which billing region an edge's region label means, by book.
-- Grain: book × label. Temporary.
-- Reads: given_regions (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_regions AS
SELECT book, label, region FROM given_regions;
