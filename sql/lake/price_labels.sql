-- Answers: which billing region each label means that edges may send.
-- Grain: one row per price book × label.
-- Reads: price_labels.
SELECT
    book,
    label,
    region
FROM price_labels
ORDER BY book, region, label;
