-- Answers: whether price_tiers would change.
-- Grain: one row.
-- Reads: price_tiers, rating_out_price_tiers.
SELECT count(*) > 0 FROM (
    (SELECT * FROM price_tiers EXCEPT SELECT * FROM rating_out_price_tiers)
    UNION ALL
    (SELECT * FROM rating_out_price_tiers EXCEPT SELECT * FROM price_tiers)
);
