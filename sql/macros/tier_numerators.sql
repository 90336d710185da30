-- Tiers with their fees and prices, the percentage off, as whole numbers: in 10^-10 units times `common`.
-- Grain: one list per call.
-- Reads: its parameters; as sql/macros/tier_parts.sql, which says what they mean.
-- Read by: sql/macros/tier_parts.sql.
CREATE MACRO tier_numerators(tiers, model, unit_quantity, discount_millionths, common) AS
    list_transform(tiers, lambda _tier: {
        'lower': CAST(_tier.above AS HUGEINT),
        'upper': CAST(coalesce(_tier.up_to, CAST('79228162514264337593543950336' AS HUGEINT)) AS HUGEINT),
        'fee': numerator_of(
            CAST(_tier.flat_fee AS HUGEINT) * (1000000 - discount_millionths), 1000000, common
        ),
        'price': numerator_of(
            CAST(_tier.price AS HUGEINT) * (1000000 - discount_millionths),
            CAST(1000000 AS HUGEINT) * CASE model WHEN 'package' THEN 1 ELSE unit_quantity END,
            common
        ),
        'at_zero': coalesce(_tier.at_zero, FALSE)
    })
