-- Answers: the rate cards of the present price books, for people and documents.
-- Grain: card. Temporary.
-- Reads: given_price_cards (from the TOML files).
CREATE OR REPLACE TEMP TABLE rating_out_price_cards AS SELECT * FROM given_price_cards;
