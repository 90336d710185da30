-- The parts of a curve, as tier_parts says, from its tiers' numerators. whole: the tier that is reached prices all of the quantity.
-- Grain: one list per call, a part more than there are tiers.
-- Reads: its parameters.
-- Read by: sql/macros/tier_parts.sql.
CREATE MACRO parts_of_curve(tiers, whole, step) AS
    list_prepend(
        {
            'lower': CAST(-1 AS HUGEINT),
            'upper': CAST(0 AS HUGEINT),
            'base': CASE
                WHEN list_extract(tiers, 1).at_zero THEN list_extract(tiers, 1).fee
                ELSE CAST(0 AS HUGEINT)
            END,
            'origin': CAST(0 AS HUGEINT),
            'step': CAST(step AS HUGEINT),
            'price': CAST(0 AS HUGEINT)
        },
        list_transform(tiers, lambda _tier, _place: {
            'lower': _tier.lower,
            'upper': _tier.upper,
            'base': CASE
                WHEN whole THEN sum_to_38_digits(CAST(0 AS HUGEINT), _tier.fee)
                ELSE sum_to_38_digits(
                    list_reduce(
                        list_transform(
                            list_slice(tiers, 1, _place - 1),
                            lambda _below: sum_to_38_digits(
                                _below.fee,
                                product_to_38_digits(_below.upper - _below.lower, _below.price)
                            )
                        ),
                        lambda _one, _other: sum_to_38_digits(_one, _other),
                        CAST(0 AS HUGEINT)
                    ),
                    _tier.fee
                )
            END,
            'origin': CASE WHEN whole THEN CAST(0 AS HUGEINT) ELSE _tier.lower END,
            'step': CAST(step AS HUGEINT),
            'price': _tier.price
        })
    )
