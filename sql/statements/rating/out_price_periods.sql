-- Answers: when each rate card of the present price books is in force, for people and documents.
-- Grain: card. Temporary.
-- Reads: given_price_periods (from the TOML files).
CREATE OR REPLACE TEMP TABLE rating_out_price_periods AS SELECT * FROM given_price_periods;
