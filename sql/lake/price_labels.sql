-- Which billing region each label means that edges may send.
-- Grain: one row per price book × label.
-- Reads: price_labels.
-- Read by: sql/views/price_cards.sql, sql/views/price_regions.sql.
SELECT
    book,
    label,
    region
FROM price_labels
ORDER BY book, region, label;
