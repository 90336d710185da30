-- What if it were priced like this: the price of a quantity by tiers of your own, exact, cut once to 10^-10.
-- Grain: one value per call. tiers: [{'up_to': 5000000, 'price': 0.009}, {'up_to': NULL, 'price': 0.008}].
-- Reads: its parameters: model graduated, volume, step_reached, package or per_unit; per: what price is for.
-- Read by: people (edgetoll sql).
CREATE MACRO tiered_price(quantity, tiers, model := 'graduated', per := 1, off_percent := 0) AS
    CASE
        WHEN quantity < 0 THEN error('a quantity below zero has no price: ' || quantity)
        WHEN model NOT IN ('per_unit', 'package', 'graduated', 'volume', 'step_reached')
            THEN error('no pricing model ' || model)
        WHEN per < 1 THEN error('a price is for 1 or more, not for ' || per)
        WHEN NOT (off_percent BETWEEN 0 AND 100) THEN error('a percentage is 0 to 100')
        ELSE money_of_units(cut_to_units(
            curve_units(quantity, tier_parts(
                list_transform(tiers, lambda _tier, _place: {
                    'above': CASE
                        WHEN _place = 1 THEN 0 ELSE list_extract(tiers, _place - 1).up_to
                    END,
                    'up_to': _tier.up_to, 'price': units_of_money(_tier.price), 'flat_fee': 0,
                    'at_zero': FALSE
                }),
                model, per, CAST(off_percent * 10000 AS BIGINT),
                price_denominator(per, CAST(off_percent * 10000 AS BIGINT))
            )),
            price_denominator(per, CAST(off_percent * 10000 AS BIGINT))
        ))
    END
