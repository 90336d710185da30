-- What a quantity in a part of a card's curve costs, as a numerator (DOMAIN §10.5): the rating engine's own formula.
-- Grain: one value per call.
-- Reads: its parameters, a part as tier_parts makes it.
-- Read by: sql/macros/curve_units.sql, sql/statements/rating/amounts.sql.
CREATE MACRO curve_at(quantity, part_base, part_price, part_step, part_origin) AS
    part_base + part_price * CASE
        WHEN part_step = 1 THEN quantity - part_origin
        ELSE (quantity - part_origin + part_step - 1) // part_step
    END
