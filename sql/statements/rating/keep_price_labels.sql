-- Answers: nothing; stores which region label means which billing region in the present price books.
-- Grain: book × label.
-- Reads: effect_price_labels.
INSERT INTO price_labels BY NAME SELECT * FROM effect_price_labels;
