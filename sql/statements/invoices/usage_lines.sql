-- Answers: the month's lines by item, region and price, exact: the tiers' parts, and what else a card charges.
-- Grain: one row per account × item × region × rate card × tier; one more where a fee, minimum or maximum acts.
-- Reads: invoice_usage, invoice_parts, invoice_whole_lines.
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
    -- Where only the fixed part is owed, a line of no quantity would say nothing.
    WHERE rests.is_cut_only OR parts.part <> 0 OR rests.free_quantity <> 0 OR rests.plan_quantity <> 0
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
)

SELECT * FROM tier_lines
UNION ALL BY NAME
SELECT * FROM fee_lines
UNION ALL BY NAME
SELECT * FROM invoice_whole_lines;
