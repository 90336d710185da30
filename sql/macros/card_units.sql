-- What a whole period with that quantity costs on a rate card, in 10^-10 units: what exceeds the free quota
-- and what plans paid, by tiers, the percentage off, plus the flat fee, then the cap, then the floor.
-- Grain: one value per call.
-- Reads: its parameters: a row of price_cards as a struct.
-- Read by: sql/macros/card_price.sql, sql/macros/what_if.sql.
CREATE MACRO card_units(card, quantity, plan_quantity) AS
    greatest(
        least(
            tiers_units(
                greatest(CAST(quantity AS HUGEINT) - card.free_quantity - plan_quantity, 0),
                card.tiers, card.model, card.unit_quantity, card.discount_millionths
            ) + units_of_money(card.flat_fee),
            CASE
                WHEN card.maximum IS NULL
                    THEN CAST('170141183460469231731687303715884105727' AS HUGEINT)
                ELSE units_of_money(card.maximum)
            END
        ),
        units_of_money(card.minimum)
    )
