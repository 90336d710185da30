-- Answers: nothing; stores the tiers of the present price books for people and documents.
-- Grain: card × tier.
-- Reads: effect_price_tiers.
INSERT INTO price_tiers BY NAME SELECT * FROM effect_price_tiers;
