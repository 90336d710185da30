-- Answers: the tiers of the present price books, for people and documents.
-- Grain: card × tier. Temporary.
-- Reads: given_price_tiers (from the TOML files).
CREATE OR REPLACE TEMP TABLE rating_out_price_tiers AS SELECT * FROM given_price_tiers;
