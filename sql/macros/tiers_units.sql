-- What a quantity costs by tiers, in 10^-10 units, the percentage taken off and cut once, toward zero.
-- Grain: one value per call. unit_quantity: how many base quantities (requests, bytes) a tier's price is for.
-- Reads: its parameters. tiers: {above, up_to (NULL: no end), price, flat_fee, at_zero}, in order.
-- Read by: sql/macros/card_units.sql, sql/macros/tiered_price.sql.
CREATE MACRO tiers_units(quantity, tiers, model, unit_quantity, discount_millionths) AS
    list_sum(list_transform(tiers, lambda _tier:
        CASE
            WHEN NOT (quantity > _tier.above OR (_tier.above = 0 AND coalesce(_tier.at_zero, FALSE)))
                OR (model IN ('volume', 'step_reached') AND coalesce(quantity > _tier.up_to, FALSE))
                THEN CAST(0 AS HUGEINT)
            ELSE units_of_money(_tier.flat_fee) * CAST(unit_quantity AS HUGEINT)
                + units_of_money(_tier.price) * CASE
                    WHEN model = 'package'
                        THEN (CAST(quantity AS HUGEINT) + unit_quantity - 1) // unit_quantity * unit_quantity
                    WHEN model IN ('volume', 'step_reached') THEN CAST(quantity AS HUGEINT)
                    ELSE greatest(CAST(0 AS HUGEINT),
                        least(CAST(quantity AS HUGEINT), CAST(coalesce(_tier.up_to, quantity) AS HUGEINT))
                        - _tier.above)
                END
        END
    )) * ((1000000 - discount_millionths) // gcd(1000000 - discount_millionths, 1000000))
    // (CAST(unit_quantity AS HUGEINT) * (1000000 // gcd(1000000 - discount_millionths, 1000000)))
