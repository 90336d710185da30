-- Which accounts are about to reach the next price tier?
-- Grain: one row per account × item × region whose month stands in a tier that another follows.
-- Reads: charges_daily_parts, price_cards.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter from_permille (number, 800): from how many thousandths of the tier on
-- Chart: bar, account_id, reached_permille, item
-- Read by: people (edgetoll query).
WITH used AS (
    SELECT
        account_id,
        item,
        region,
        rate_card,
        CAST(sum(billable_quantity) AS HUGEINT) AS quantity
    FROM charges_daily_parts
    WHERE month = $month
    GROUP BY account_id, item, region, rate_card
),

tiers AS (
    SELECT card_id, unit, per, unit_quantity, unnest(tiers, recursive := true)
    FROM price_cards
),

reached AS (
    SELECT
        u.account_id,
        u.item,
        u.region,
        u.quantity,
        CAST(t.up_to AS HUGEINT) * t.unit_quantity AS next_tier_at,
        t.price AS price_now,
        t.per,
        t.unit
    FROM used AS u
    INNER JOIN tiers AS t ON u.rate_card = t.card_id
    WHERE t.up_to IS NOT NULL AND u.quantity <= CAST(t.up_to AS HUGEINT) * t.unit_quantity
    QUALIFY row_number() OVER (PARTITION BY u.account_id, u.item, u.region, u.rate_card ORDER BY t.up_to) = 1
)

SELECT
    account_id,
    item,
    region,
    quantity,
    next_tier_at,
    next_tier_at - quantity AS until_then,
    CAST(1000 * quantity // next_tier_at AS BIGINT) AS reached_permille,
    price_now,
    per,
    unit
FROM reached
WHERE 1000 * quantity // next_tier_at >= $from_permille
ORDER BY reached_permille DESC, account_id, item, region

-- Sample:
-- edgetoll query accounts_near_the_next_tier --param month=2026-11 --param from_permille=300
-- | account_id | item | region | quantity | next_tier_at | until_then | reached_permille | price_now | per | unit |
-- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
