-- What each due account used and owes for the month, by item, region, price and term.
-- Run by billing/invoices/run.py in this order; each statement reads the table of the one before it.
-- Money is HUGEINT, 10^-10 currency units; nothing is rounded here.

-- name: usage
-- One row per account × item × region × rate card. What each due account used and owes for the month, by item,
-- region and rate card. usage_no: which row it is.
CREATE OR REPLACE TEMP TABLE invoice_usage AS
WITH void AS (
    SELECT DISTINCT invoice_no
    FROM invoice_events
    WHERE status = 'void'
),

-- A month voided and issued again: what a standing later invoice already corrected stays there.
carried AS (
    SELECT
        charges.account_id,
        charges.item,
        charges.region,
        charges.rate_card,
        sum(charges.free_quantity) AS free_quantity,
        sum(charges.plan_quantity) AS plan_quantity,
        sum(charges.billable_quantity) AS billable_quantity,
        sum(charges.amount) AS amount,
        coalesce(sum(charges.amount) FILTER (charges.term = 'flat fee'), 0) AS flat_fee,
        coalesce(sum(charges.amount) FILTER (charges.term = 'maximum'), 0) AS maximum,
        coalesce(sum(charges.amount) FILTER (charges.term = 'minimum'), 0) AS minimum
    FROM invoice_corrections
    INNER JOIN late_charges AS charges ON invoice_corrections.charge_id = charges.charge_id
    LEFT JOIN void ON invoice_corrections.invoice_no = void.invoice_no
    WHERE charges.month = $month AND void.invoice_no IS NULL
    GROUP BY charges.account_id, charges.item, charges.region, charges.rate_card
)

SELECT
    CAST(due.account_no AS BIGINT) << 32 | lanes.lane_no AS usage_no,
    due.account_no,
    due.account_id,
    lanes.item,
    lanes.region,
    lanes.rate_card,
    CAST(state.place_from AS HUGEINT) AS place_from,
    CAST(state.free_quantity - coalesce(carried.free_quantity, 0) AS HUGEINT) AS free_quantity,
    CAST(state.plan_quantity - coalesce(carried.plan_quantity, 0) AS HUGEINT) AS plan_quantity,
    CAST(state.billable_quantity - coalesce(carried.billable_quantity, 0) AS HUGEINT) AS billable_quantity,
    CAST(state.amount - coalesce(carried.amount, 0) AS HUGEINT) AS amount,
    CAST(state.flat_fee - coalesce(carried.flat_fee, 0) AS HUGEINT) AS flat_fee,
    CAST(state.maximum - coalesce(carried.maximum, 0) AS HUGEINT) AS maximum,
    CAST(state.minimum - coalesce(carried.minimum, 0) AS HUGEINT) AS minimum
FROM month_numbers AS state
INNER JOIN month_lanes AS lanes ON state.lane_no = lanes.lane_no AND lanes.month = $month
INNER JOIN month_accounts AS numbered ON state.account_no = numbered.account_no
INNER JOIN invoice_due AS due ON numbered.account_id = due.account_id
LEFT JOIN carried
    ON due.account_id = carried.account_id
    AND lanes.item = carried.item
    AND lanes.region = carried.region
    AND lanes.rate_card = carried.rate_card;

-- name: carry_forward
-- One row per late charge that this run leaves for a later one: those of accounts whose corrections take away more
-- than the month costs. Asked for by the setting `below_zero = "carry"`.
DELETE FROM invoice_late
WHERE account_id IN (
    SELECT account_id
    FROM (
        SELECT account_id, amount FROM invoice_usage
        UNION ALL
        SELECT late.account_id, late.amount
        FROM invoice_late AS late
        SEMI JOIN invoice_due AS due ON late.account_id = due.account_id
    )
    GROUP BY account_id
    HAVING sum(amount) < 0
);
DELETE FROM invoice_due
WHERE
    account_id NOT IN (SELECT account_id FROM invoice_usage)
    AND account_id NOT IN (SELECT account_id FROM invoice_late);

-- name: tier_parts
-- One row per account × item × region × rate card × tier reached (the first tier even when nothing is billable). How
-- the billable quantity of each rate card falls into its tiers, with the exact price of each part.
CREATE OR REPLACE TEMP TABLE invoice_parts AS
WITH tiers AS (
    SELECT
        cards.card_id,
        tiers.tier_no,
        tiers.lower,
        tiers.upper,
        tiers.unit_price,
        -- A whole price is not multiplied by a million first: what is small is divided fast.
        CASE cards.discount_millionths WHEN 0 THEN 1 ELSE 1000000 - cards.discount_millionths END AS share,
        CAST(cards.unit_quantity AS HUGEINT) * CASE cards.discount_millionths WHEN 0 THEN 1 ELSE 1000000 END AS denominator,
        CASE
            WHEN count(*) OVER (PARTITION BY cards.card_id) = 1 THEN ''
            WHEN tiers.upper IS NULL
                THEN 'above ' || format('{:,}', CAST(tiers.lower // cards.unit_quantity * cards.per AS BIGINT))
            ELSE format('{:,}', CAST(tiers.lower // cards.unit_quantity * cards.per AS BIGINT)) || '–'
                || format('{:,}', CAST(tiers.upper // cards.unit_quantity * cards.per AS BIGINT))
        END AS range_text
    FROM price_cards AS cards
    INNER JOIN price_tiers AS tiers USING (card_id)
    WHERE cards.model IN ('per_unit', 'graduated')
),

placed AS (
    SELECT
        usage.usage_no,
        usage.place_from,
        usage.billable_quantity,
        tiers.*,
        greatest(
            0::HUGEINT,
            least(
                usage.place_from + usage.billable_quantity,
                coalesce(tiers.upper, usage.place_from + usage.billable_quantity)
            ) - greatest(usage.place_from, tiers.lower)
        ) AS part
    FROM invoice_usage AS usage
    INNER JOIN tiers ON usage.rate_card = tiers.card_id
)

SELECT
    usage_no,
    tier_no,
    range_text,
    unit_price,
    part,
    cut_to_units(part * unit_price * share, denominator) AS amount
FROM placed
WHERE part > 0 OR (billable_quantity = 0 AND lower <= place_from AND coalesce(upper > place_from, true));

-- name: whole_lines
-- One row per account × item × region × rate card whose model is not per_unit or graduated. The lines of blocks,
-- volume and step prices: one each; a price is shown where a single one applies to all of it.
CREATE OR REPLACE TEMP TABLE invoice_whole_lines AS
WITH reached AS (
    SELECT
        usage.usage_no,
        count(*) AS count_tiers,
        max(tiers.unit_price) FILTER (
            tiers.lower < usage.place_from + usage.billable_quantity
            AND coalesce(usage.place_from + usage.billable_quantity <= tiers.upper, true)
        ) AS unit_price
    FROM invoice_usage AS usage
    INNER JOIN price_cards AS cards
        ON usage.rate_card = cards.card_id AND cards.model NOT IN ('per_unit', 'graduated')
    INNER JOIN price_tiers AS tiers ON usage.rate_card = tiers.card_id
    GROUP BY usage.usage_no
)

SELECT
    usage.account_no,
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
    usage.amount - usage.flat_fee - usage.maximum - usage.minimum AS amount,
    CASE cards.model
        WHEN 'package' THEN 'whole blocks, rounded up'
        WHEN 'volume' THEN 'volume price'
        ELSE 'price of the step reached in each period'
    END AS range_text
FROM invoice_usage AS usage
INNER JOIN reached USING (usage_no)
INNER JOIN price_cards AS cards ON usage.rate_card = cards.card_id;

-- name: usage_lines
-- One row per account × item × region × rate card × tier, and one more for each of flat fee, maximum and minimum that
-- moves the sum. The month's lines by item, region and price, exact.
CREATE OR REPLACE TEMP TABLE invoice_usage_lines AS
WITH sums AS (
    SELECT
        usage_no,
        sum(amount) AS amount,
        min(tier_no) AS first_tier,
        max(tier_no) AS last_tier
    FROM invoice_parts
    GROUP BY usage_no
),

-- Parts are cut one by one, a charge is cut once: up to 16 of 10^-10 may lie between, and the last tier takes them.
-- What is more than that comes from the fees of tiers (or of months rated before terms were charged apart).
rests AS (
    SELECT
        usage.usage_no,
        usage.account_no,
        usage.item,
        usage.region,
        usage.rate_card,
        usage.free_quantity,
        usage.plan_quantity,
        sums.first_tier,
        sums.last_tier,
        usage.amount - usage.flat_fee - usage.maximum - usage.minimum - sums.amount AS rest,
        abs(rest) <= 16 AS is_cut_only,
        usage.flat_fee = 0 AND usage.maximum = 0 AND usage.minimum = 0 AS is_usage_only
    FROM invoice_usage AS usage
    INNER JOIN sums USING (usage_no)
),

tier_lines AS (
    SELECT
        rests.account_no,
        rests.item,
        rests.region,
        rests.rate_card,
        parts.tier_no,
        CASE WHEN parts.tier_no = rests.first_tier THEN rests.free_quantity ELSE 0 END AS free_quantity,
        CASE WHEN parts.tier_no = rests.first_tier THEN rests.plan_quantity ELSE 0 END AS plan_quantity,
        parts.part AS billable_quantity,
        parts.unit_price,
        parts.amount
        + CASE WHEN rests.is_cut_only AND parts.tier_no = rests.last_tier THEN rests.rest ELSE 0 END AS amount,
        parts.range_text,
        '' AS reason
    FROM invoice_parts AS parts
    INNER JOIN rests USING (usage_no)
    -- Where only a fixed term is owed, a line of no quantity would say nothing.
    WHERE
        (rests.is_cut_only AND rests.is_usage_only)
        OR parts.part <> 0
        OR rests.free_quantity <> 0
        OR rests.plan_quantity <> 0
        OR (rests.is_cut_only AND rests.rest <> 0)
),

terms AS (
    SELECT account_no, item, region, rate_card, 1001 AS tier_no, 'flat fee' AS reason, flat_fee AS amount
    FROM invoice_usage
    UNION ALL
    SELECT account_no, item, region, rate_card, 1002, 'maximum', maximum
    FROM invoice_usage
    UNION ALL
    SELECT account_no, item, region, rate_card, 1003, 'minimum', minimum
    FROM invoice_usage
    UNION ALL
    SELECT account_no, item, region, rate_card, 1000, 'fixed fee, minimum or maximum', rest
    FROM rests
    WHERE NOT is_cut_only
    UNION ALL
    -- What is charged beside usage has no card: its line is named by its agreement.
    SELECT account_no, item, region, rate_card, 1004, agreement_name(rate_card), amount
    FROM invoice_usage
    WHERE is_agreement(rate_card)
)

SELECT * FROM tier_lines
UNION ALL BY NAME
SELECT *, '' AS reason FROM invoice_whole_lines
UNION ALL BY NAME
SELECT
    *,
    0::HUGEINT AS free_quantity,
    0::HUGEINT AS plan_quantity,
    0::HUGEINT AS billable_quantity,
    0::HUGEINT AS unit_price,
    coalesce((
        SELECT
            CASE p.kind
                WHEN 'https_requests' THEN format('{:,}', p.quantity) || ' HTTPS requests'
                ELSE format('{:,}', p.quantity) || ' bytes'
            END || strftime(p.starts_at, ', %Y-%m-%d') || strftime(p.ends_at, ' to %Y-%m-%d %H:%M UTC')
        FROM plans AS p
        WHERE terms.rate_card = 'plan/' || p.plan_id
    ), '') AS range_text
FROM terms
WHERE amount <> 0;
