-- Answers: whether price_periods would change.
-- Grain: one row.
-- Reads: price_periods, rating_out_price_periods.
SELECT count(*) > 0 FROM (
    (SELECT * FROM price_periods EXCEPT SELECT * FROM rating_out_price_periods)
    UNION ALL
    (SELECT * FROM rating_out_price_periods EXCEPT SELECT * FROM price_periods)
);
