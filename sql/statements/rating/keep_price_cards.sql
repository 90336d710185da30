-- Answers: nothing; stores the rate cards of the present price books for people and documents.
-- Grain: card.
-- Reads: effect_price_cards.
INSERT INTO price_cards BY NAME SELECT * FROM effect_price_cards;
