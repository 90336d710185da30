-- Answers: the amount of quantity q in (lower, upper]: base + ceil((q - origin) / step) * price.
-- Grain: card × piece of its curve (the first piece is q = 0). Temporary.
-- Reads: given_curve (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_curve AS
SELECT
    card, lower::HUGEINT AS lower, upper::HUGEINT AS upper, base::HUGEINT AS base,
    origin::HUGEINT AS origin, step::HUGEINT AS step, price::HUGEINT AS price
FROM given_curve;
