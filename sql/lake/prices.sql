-- The prices of the present price books.
-- Grain: one row per rate card and tier.
-- Reads: price_cards, price_tiers, price_periods.
-- Read by: sql/views/price_cards.sql, sql/views/prices.sql.
SELECT
    c.card_id,
    c.book,
    c.account_id,
    c.item,
    c.region,
    c.model,
    c.currency,
    c.unit,
    c.per,
    c.unit_quantity,
    c.period,
    c.effective_from,
    c.effective_until,
    CAST(c.free_quantity AS BIGINT) AS free_quantity,
    c.discount_millionths,
    CAST(CAST(c.flat_fee AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS flat_fee,
    CAST(CAST(c.minimum AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS minimum,
    CAST(CAST(c.maximum AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS maximum,
    t.tier_no,
    CAST(t.lower AS BIGINT) AS tier_from,
    CAST(t.upper AS BIGINT) AS tier_to,
    CAST(CAST(t.unit_price AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS unit_price,
    CAST(CAST(t.flat_fee AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))
        AS tier_flat_fee,
    t.at_zero,
    p.in_force_from,
    p.in_force_until
FROM price_cards AS c
LEFT JOIN price_tiers AS t ON c.card_id = t.card_id
LEFT JOIN price_periods AS p ON c.card_id = p.card_id
ORDER BY c.book, c.card_id, t.tier_no;
