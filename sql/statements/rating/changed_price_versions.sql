-- Answers: whether price_versions would change.
-- Grain: one row.
-- Reads: price_versions, rating_out_price_versions.
SELECT count(*) > 0 FROM (
    (SELECT * FROM price_versions EXCEPT SELECT * FROM rating_out_price_versions)
    UNION ALL
    (SELECT * FROM rating_out_price_versions EXCEPT SELECT * FROM price_versions)
);
