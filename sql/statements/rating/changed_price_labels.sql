-- Answers: whether price_labels would change.
-- Grain: one row.
-- Reads: price_labels, rating_out_price_labels.
SELECT count(*) > 0 FROM (
    (SELECT * FROM price_labels EXCEPT SELECT * FROM rating_out_price_labels)
    UNION ALL
    (SELECT * FROM rating_out_price_labels EXCEPT SELECT * FROM price_labels)
);
