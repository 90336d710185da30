-- What a whole period with that quantity costs on a rate card, in 10^-10 units: what exceeds the free quota
-- and what plans paid, by its curve, plus the flat fee, within its cap and its floor.
-- Grain: one value per call.
-- Reads: its parameters: a row of price_cards as a struct, and what card_curve makes of it.
-- Read by: sql/macros/card_price.sql, sql/macros/what_if.sql.
CREATE MACRO card_units(card, curve, quantity, plan_quantity) AS
    within_terms(
        cut_to_units(
            curve_units(
                greatest(CAST(quantity AS HUGEINT) - card.free_quantity - plan_quantity, 0),
                curve.parts
            ),
            curve.denominator
        ) + units_of_money(card.flat_fee),
        CASE WHEN card.maximum IS NOT NULL THEN units_of_money(card.maximum) END,
        units_of_money(card.minimum)
    )
