-- Answers: which billing region each region label meant when the last run was posted.
-- Grain: book × label.
-- Reads: price_labels.
SELECT book, label, region FROM price_labels;
