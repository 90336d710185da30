-- Answers: how the billable quantity of each rate card falls into its tiers, with the exact price of each part.
-- Grain: one row per account × item × region × rate card × tier reached (the first tier even when nothing is billable).
-- Reads: invoice_usage, price_cards, price_tiers.
CREATE OR REPLACE TEMP TABLE invoice_parts AS
WITH cards AS (
    SELECT
        card_id,
        model,
        unit,
        per,
        unit_quantity,
        discount_millionths,
        count(*) AS count_tiers
    FROM price_cards
    INNER JOIN price_tiers USING (card_id)
    GROUP BY card_id, model, unit, per, unit_quantity, discount_millionths
),

placed AS (
    SELECT
        usage.*,
        cards.model,
        cards.unit,
        cards.per,
        cards.unit_quantity,
        cards.discount_millionths,
        cards.count_tiers,
        tiers.tier_no,
        tiers.lower,
        tiers.upper,
        tiers.unit_price,
        greatest(
            0::HUGEINT,
            least(
                usage.place_from + usage.billable_quantity,
                coalesce(tiers.upper, usage.place_from + usage.billable_quantity)
            ) - greatest(usage.place_from, tiers.lower)
        ) AS part
    FROM invoice_usage AS usage
    INNER JOIN cards ON usage.rate_card = cards.card_id AND cards.model IN ('per_unit', 'graduated')
    INNER JOIN price_tiers AS tiers ON usage.rate_card = tiers.card_id
)

SELECT
    account_id,
    item,
    region,
    rate_card,
    unit,
    per,
    unit_quantity,
    discount_millionths,
    count_tiers,
    tier_no,
    lower,
    upper,
    unit_price,
    part,
    part * unit_price * (1000000 - discount_millionths) // (CAST(unit_quantity AS HUGEINT) * 1000000) AS amount
FROM placed
WHERE part > 0 OR (billable_quantity = 0 AND lower <= place_from AND coalesce(upper > place_from, true));
