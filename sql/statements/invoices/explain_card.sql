-- Answers: the rate card of one invoice line, tier by tier.
-- Grain: one row per tier.
-- Reads: price_cards, price_tiers.
SELECT
    cards.model,
    cards.unit,
    cards.per,
    cards.unit_quantity,
    cards.effective_from,
    cards.effective_until,
    cards.flat_fee AS card_fee,
    cards.minimum,
    cards.maximum,
    cards.discount_millionths,
    tiers.tier_no,
    tiers.lower,
    tiers.upper,
    tiers.unit_price,
    tiers.flat_fee,
    cards.free_quantity,
    cards.period
FROM price_cards AS cards
INNER JOIN price_tiers AS tiers ON cards.card_id = tiers.card_id
WHERE cards.card_id = $rate_card
ORDER BY tiers.tier_no;
