-- Answers: the fixed terms of each rate card, money as numerators over its lane's denominator.
-- Grain: card. Temporary.
-- Reads: given_terms (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_terms AS
SELECT
    card, card_id, account_id, lane, currency, period,
    flat_fee::HUGEINT AS flat_fee, minimum::HUGEINT AS minimum, maximum::HUGEINT AS maximum,
    free_quantity::HUGEINT AS free_quantity, at_zero::HUGEINT AS at_zero, has_terms
FROM given_terms;
