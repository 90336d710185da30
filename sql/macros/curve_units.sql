-- What a quantity costs on a curve, as a numerator: in its part, and an error beyond what has a price.
-- Grain: one value per call.
-- Reads: its parameters: the list that tier_parts makes.
-- Read by: sql/macros/card_units.sql, sql/macros/tiered_price.sql.
CREATE MACRO curve_units(quantity, curve) AS
    coalesce(
        list_extract(list_transform(
            list_filter(curve, lambda _part: quantity > _part.lower AND quantity <= _part.upper
                AND _part.base < CAST('99999999999999999999999999999999999999' AS HUGEINT)),
            lambda _part: curve_at(
                CAST(quantity AS HUGEINT), _part.base, _part.price, _part.step, _part.origin
            )
        ), 1),
        error('more than can be priced: ' || quantity)
    )
