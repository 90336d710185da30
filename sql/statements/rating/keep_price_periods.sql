-- Answers: nothing; stores when each rate card of the present price books is in force.
-- Grain: card.
-- Reads: effect_price_periods.
INSERT INTO price_periods BY NAME SELECT * FROM effect_price_periods;
