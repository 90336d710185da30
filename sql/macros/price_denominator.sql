-- The denominator in which all prices of a card are whole, whatever they are.
-- Grain: one value per call.
-- Reads: its parameters: base quantities that a price is for, and the percentage off in millionths.
-- Read by: sql/macros/card_curve.sql, sql/macros/tiered_price.sql.
CREATE MACRO price_denominator(unit_quantity, discount_millionths) AS
    CAST(unit_quantity AS HUGEINT) * (1000000 // gcd(1000000 - discount_millionths, 1000000))
