-- Answers: whether price_cards would change.
-- Grain: one row.
-- Reads: price_cards, rating_out_price_cards.
SELECT count(*) > 0 FROM (
    (SELECT * FROM price_cards EXCEPT SELECT * FROM rating_out_price_cards)
    UNION ALL
    (SELECT * FROM rating_out_price_cards EXCEPT SELECT * FROM price_cards)
);
