-- What things cost: the rate cards of the price books with their tiers.
-- Grain: one row per rate card and tier.
-- Owner: billing/prices.
-- Reads: lake_prices.
-- Read by: people (edgetoll sql).
CREATE VIEW prices AS
SELECT
    card_id,
    book,
    account_id,
    item,
    region,
    model,
    currency,
    unit,
    per,
    unit_quantity,
    period,
    effective_from,
    effective_until,
    free_quantity,
    discount_millionths,
    flat_fee,
    minimum,
    maximum,
    tier_no,
    tier_from,
    tier_to,
    unit_price,
    tier_flat_fee,
    at_zero,
    in_force_from,
    in_force_until
FROM lake_prices
