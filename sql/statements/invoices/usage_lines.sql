-- Answers: the month's lines by item, region and price, exact: the tiers' parts, and what else a card charges.
-- Grain: one row per account × item × region × rate card × tier; one more where a fee, minimum or maximum acts.
-- Reads: invoice_usage, invoice_parts, price_cards, price_tiers.
CREATE OR REPLACE TEMP TABLE invoice_usage_lines AS
WITH sums AS (
    SELECT
        account_id,
        item,
        region,
        rate_card,
        sum(amount) AS amount,
        min(tier_no) AS first_tier,
        max(tier_no) AS last_tier
    FROM invoice_parts
    GROUP BY account_id, item, region, rate_card
),

-- Parts are cut one by one, a charge is cut once: up to 16 of 10^-10 may lie between, and the last tier takes them.
-- What is more than that comes from a flat fee, a minimum or a maximum, and has its own line.
rests AS (
    SELECT
        usage.account_id,
        usage.item,
        usage.region,
        usage.rate_card,
        usage.free_quantity,
        usage.plan_quantity,
        sums.first_tier,
        sums.last_tier,
        usage.amount - sums.amount AS rest,
        abs(usage.amount - sums.amount) <= 16 AS is_cut_only
    FROM invoice_usage AS usage
    INNER JOIN sums USING (account_id, item, region, rate_card)
),

tier_lines AS (
    SELECT
        parts.account_id,
        parts.item,
        parts.region,
        parts.rate_card,
        parts.tier_no,
        CASE WHEN parts.tier_no = rests.first_tier THEN rests.free_quantity ELSE 0 END AS free_quantity,
        CASE WHEN parts.tier_no = rests.first_tier THEN rests.plan_quantity ELSE 0 END AS plan_quantity,
        parts.part AS billable_quantity,
        parts.unit_price,
        parts.amount
        + CASE WHEN rests.is_cut_only AND parts.tier_no = rests.last_tier THEN rests.rest ELSE 0 END AS amount,
        CASE
            WHEN parts.count_tiers = 1 THEN ''
            WHEN parts.upper IS NULL THEN 'above ' || format('{:,}', CAST(parts.lower // parts.unit_quantity * parts.per AS BIGINT))
            ELSE format('{:,}', CAST(parts.lower // parts.unit_quantity * parts.per AS BIGINT)) || '–'
                || format('{:,}', CAST(parts.upper // parts.unit_quantity * parts.per AS BIGINT))
        END AS range_text,
        parts.discount_millionths
    FROM invoice_parts AS parts
    INNER JOIN rests USING (account_id, item, region, rate_card)
),

fee_lines AS (
    SELECT
        account_id,
        item,
        region,
        rate_card,
        999 AS tier_no,
        0::HUGEINT AS free_quantity,
        0::HUGEINT AS plan_quantity,
        0::HUGEINT AS billable_quantity,
        0::HUGEINT AS unit_price,
        rest AS amount,
        'fixed fee, minimum or maximum' AS range_text,
        0 AS discount_millionths
    FROM rests
    WHERE NOT is_cut_only
),

-- Blocks, volume and step prices: one line; a price is shown where a single one applies to all of it.
reached AS (
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
),

other_lines AS (
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
        ON usage.rate_card = cards.card_id AND cards.model NOT IN ('per_unit', 'graduated')
)

SELECT * FROM tier_lines
UNION ALL BY NAME
SELECT * FROM fee_lines
UNION ALL BY NAME
SELECT * FROM other_lines;
