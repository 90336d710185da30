-- A rate card's curve: the denominator in which all its prices are whole, and its parts over it.
-- Grain: one struct per call.
-- Reads: its parameters: a row of price_cards as a struct.
-- Read by: sql/macros/card_price.sql, sql/macros/what_if.sql.
CREATE MACRO card_curve(card) AS
    {
        'denominator': price_denominator(card.unit_quantity, card.discount_millionths),
        'parts': tier_parts(
            list_transform(card.tiers, lambda _tier: {
                'above': _tier.above, 'up_to': _tier.up_to, 'price': units_of_money(_tier.price),
                'flat_fee': units_of_money(_tier.flat_fee), 'at_zero': _tier.at_zero
            }),
            card.model, card.unit_quantity, card.discount_millionths,
            price_denominator(card.unit_quantity, card.discount_millionths)
        )
    }
