-- Answers: the lines of blocks, volume and step prices: one each; a price is shown where a single one applies to all of it.
-- Grain: one row per account × item × region × rate card whose model is not per_unit or graduated.
-- Reads: invoice_usage, price_cards, price_tiers.
CREATE OR REPLACE TEMP TABLE invoice_whole_lines AS
WITH reached AS (
    SELECT
        usage.account_id,
        usage.item,
        usage.region,
        usage.rate_card,
        count(*) AS count_tiers,
        max(tiers.unit_price) FILTER (
            tiers.lower < usage.place_from + usage.billable_quantity
            AND coalesce(usage.place_from + usage.billable_quantity <= tiers.upper, true)
        ) AS unit_price
    FROM invoice_usage AS usage
    INNER JOIN price_tiers AS tiers ON usage.rate_card = tiers.card_id
    GROUP BY usage.account_id, usage.item, usage.region, usage.rate_card
)

SELECT
    usage.account_id,
    usage.item,
    usage.region,
    usage.rate_card,
    1 AS tier_no,
    usage.free_quantity,
    usage.plan_quantity,
    usage.billable_quantity,
    CASE
        WHEN cards.model = 'volume' OR reached.count_tiers = 1 THEN coalesce(reached.unit_price, 0)
        ELSE 0
    END AS unit_price,
    usage.amount,
    CASE cards.model
        WHEN 'package' THEN 'whole blocks, rounded up'
        WHEN 'volume' THEN 'volume price'
        ELSE 'price of the step reached in each period'
    END AS range_text,
    cards.discount_millionths
FROM invoice_usage AS usage
INNER JOIN reached USING (account_id, item, region, rate_card)
INNER JOIN price_cards AS cards
    ON usage.rate_card = cards.card_id AND cards.model NOT IN ('per_unit', 'graduated');
