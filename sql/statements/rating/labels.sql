-- Answers: the region labels this run meets, by price book.
-- Grain: book × label. Temporary.
-- Reads: rating_input, rating_samples.
CREATE OR REPLACE TEMP TABLE rating_labels AS
SELECT DISTINCT book, label FROM rating_input
UNION
SELECT DISTINCT book, label FROM rating_samples;
