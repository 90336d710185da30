-- What a whole period with that quantity costs on a rate card of price_cards, by its card_id.
-- Grain: one value per call; DECIMAL(38, 10), cut once toward zero as the rating engine cuts a month.
-- Reads: price_cards. plan_quantity: how much of it plans paid, after the free quota.
-- Read by: people (edgetoll sql), sql/macros/price_of.sql.
CREATE MACRO card_price(card, quantity, plan_quantity := 0) AS
    CASE
        WHEN quantity < 0 OR plan_quantity < 0
            THEN error('a quantity below zero has no price: ' || least(quantity, plan_quantity))
        ELSE coalesce(
            list_extract(list_transform(
                map_extract(
                    (
                        SELECT map_from_entries(list((_p.card_id, {'card': _p, 'curve': card_curve(_p)})))
                        FROM price_cards AS _p
                    ), card
                ),
                lambda _found: money_of_units(
                    card_units(_found.card, _found.curve, quantity, plan_quantity)
                )
            ), 1),
            error('no rate card ' || coalesce(card, 'NULL'))
        )
    END
