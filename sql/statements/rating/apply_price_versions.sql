-- Answers: nothing; stores which rate cards have been seen and used.
-- Grain: card.
-- Reads: effect_price_versions.
INSERT INTO price_versions BY NAME SELECT * FROM effect_price_versions;
