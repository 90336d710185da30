-- What each due account used and owes for the month, as exact lines by item, region and price.
-- Run by billing/invoices/run.py in this order; each statement reads the table of the one before it.
-- Money is HUGEINT, 10^-10 currency units; nothing is rounded here.

-- name: numbers
-- One row per invoice. The number of each invoice of this run, gapless per series, accounts in order.
CREATE OR REPLACE TEMP TABLE invoice_numbers AS
WITH numbered AS (
    SELECT
        due.account_id,
        currencies.series,
        currencies.digits,
        currencies.step,
        currencies.last_number
        + row_number() OVER (PARTITION BY due.currency ORDER BY due.account_id) AS number
    FROM invoice_due AS due
    INNER JOIN invoice_currencies AS currencies ON due.currency = currencies.currency
)

SELECT
    account_id,
    series,
    number,
    digits,
    step,
    series || '-' || format('{:06}', number) AS invoice_no
FROM numbered;

-- name: usage
-- One row per account × item × region × rate card. What each due account used and owes for the month, by item,
-- region and rate card.
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
        sum(charges.quantity) AS quantity,
        sum(charges.free_quantity) AS free_quantity,
        sum(charges.plan_quantity) AS plan_quantity,
        sum(charges.billable_quantity) AS billable_quantity,
        sum(charges.amount) AS amount
    FROM invoice_corrections
    INNER JOIN charges ON invoice_corrections.charge_id = charges.charge_id
    LEFT JOIN void ON invoice_corrections.invoice_no = void.invoice_no
    WHERE charges.month = $month AND void.invoice_no IS NULL
    GROUP BY charges.account_id, charges.item, charges.region, charges.rate_card
)

SELECT
    state.account_id,
    state.item,
    state.region,
    state.rate_card,
    CAST(state.place_from AS HUGEINT) AS place_from,
    CAST(state.quantity - coalesce(carried.quantity, 0) AS HUGEINT) AS quantity,
    CAST(state.free_quantity - coalesce(carried.free_quantity, 0) AS HUGEINT) AS free_quantity,
    CAST(state.plan_quantity - coalesce(carried.plan_quantity, 0) AS HUGEINT) AS plan_quantity,
    CAST(state.billable_quantity - coalesce(carried.billable_quantity, 0) AS HUGEINT) AS billable_quantity,
    CAST(state.amount - coalesce(carried.amount, 0) AS HUGEINT) AS amount
FROM month_state AS state
INNER JOIN invoice_due AS due ON state.account_id = due.account_id
LEFT JOIN carried
    ON state.account_id = carried.account_id
    AND state.item = carried.item
    AND state.region = carried.region
    AND state.rate_card = carried.rate_card
WHERE state.month = $month;

-- name: tier_parts
-- One row per account × item × region × rate card × tier reached (the first tier even when nothing is billable). How
-- the billable quantity of each rate card falls into its tiers, with the exact price of each part.
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

-- name: whole_lines
-- One row per account × item × region × rate card whose model is not per_unit or graduated. The lines of blocks,
-- volume and step prices: one each; a price is shown where a single one applies to all of it.
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

-- name: usage_lines
-- One row per account × item × region × rate card × tier; one more where a fee, minimum or maximum acts. The month's
-- lines by item, region and price, exact: the tiers' parts, and what else a card charges.
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

-- name: exact_lines
-- One row per invoice × line. All lines of the run, usage first, then corrections, numbered, exact to 10^-10.
CREATE OR REPLACE TEMP TABLE invoice_exact_lines AS
WITH cards AS (
    SELECT
        card_id,
        effective_from,
        unit,
        per,
        unit_quantity,
        model,
        discount_millionths,
        count(*) AS count_tiers,
        min(unit_price) AS unit_price
    FROM price_cards
    INNER JOIN price_tiers USING (card_id)
    GROUP BY card_id, effective_from, unit, per, unit_quantity, model, discount_millionths
),

corrections AS (
    SELECT
        late.account_id, late.item, late.region, late.rate_card, late.corrects_invoice,
        late.period_start AS corrects_hour,
        late.reason,
        sum(late.free_quantity) AS free_quantity,
        sum(late.plan_quantity) AS plan_quantity,
        sum(late.billable_quantity) AS billable_quantity,
        sum(late.amount) AS amount
    FROM invoice_late AS late
    GROUP BY ALL
),

lines AS (
    SELECT
        account_id,
        'usage' AS kind,
        item,
        region,
        rate_card,
        tier_no,
        free_quantity,
        plan_quantity,
        billable_quantity,
        unit_price,
        amount,
        range_text,
        NULL::VARCHAR AS corrects_invoice,
        NULL::TIMESTAMP AS corrects_hour,
        '' AS reason
    FROM invoice_usage_lines
    UNION ALL
    SELECT
        corrections.account_id,
        'correction' AS kind,
        corrections.item,
        corrections.region,
        corrections.rate_card,
        1 AS tier_no,
        corrections.free_quantity,
        corrections.plan_quantity,
        corrections.billable_quantity,
        CASE WHEN cards.count_tiers = 1 AND cards.model = 'per_unit' THEN cards.unit_price ELSE 0 END AS unit_price,
        corrections.amount,
        '' AS range_text,
        corrections.corrects_invoice,
        corrections.corrects_hour,
        corrections.reason
    FROM corrections
    INNER JOIN cards ON corrections.rate_card = cards.card_id
)

SELECT
    numbers.invoice_no,
    lines.account_id,
    CAST(row_number() OVER (
        PARTITION BY numbers.invoice_no
        ORDER BY
            lines.kind DESC,
            list_position(['https_requests', 'quic_requests', 'http_requests', 'data_transfer'], lines.item) NULLS LAST,
            lines.item, lines.corrects_invoice, lines.corrects_hour, lines.region, cards.effective_from,
            lines.rate_card, lines.tier_no, lines.reason
    ) AS INTEGER) AS line_no,
    lines.kind,
    lines.item,
    lines.region,
    lines.rate_card,
    CAST(lines.free_quantity + lines.plan_quantity + lines.billable_quantity AS HUGEINT) AS quantity,
    CAST(lines.free_quantity AS HUGEINT) AS free_quantity,
    CAST(lines.plan_quantity AS HUGEINT) AS plan_quantity,
    CAST(lines.billable_quantity AS HUGEINT) AS billable_quantity,
    CASE
        WHEN cards.unit = 'request' AND cards.per = 1 THEN 'request'
        WHEN cards.unit = 'request' THEN format('{:,}', CAST(cards.per AS BIGINT)) || ' requests'
        WHEN cards.per = 1 THEN cards.unit
        ELSE format('{:,}', CAST(cards.per AS BIGINT)) || ' ' || cards.unit
    END AS unit,
    CAST(CASE WHEN lines.unit_price = 0 AND lines.amount <> 0 THEN 0 ELSE cards.unit_quantity END AS BIGINT)
        AS unit_quantity,
    CAST(lines.unit_price AS HUGEINT) AS unit_price,
    CAST(lines.amount AS HUGEINT) AS amount,
    concat_ws(
        ', ',
        CASE
            WHEN lines.range_text = '' OR lines.range_text LIKE '% %' AND lines.range_text NOT LIKE 'above%' THEN nullif(lines.range_text, '')
            WHEN cards.unit = 'request' THEN lines.range_text || ' requests'
            ELSE lines.range_text || ' ' || cards.unit
        END,
        CASE WHEN cards.discount_millionths > 0 AND lines.kind = 'usage' THEN
            rtrim(rtrim(CAST(CAST(cards.discount_millionths AS DECIMAL(18, 4)) * 0.0001::DECIMAL(5, 4) AS VARCHAR), '0'), '.')
            || ' % off the list price'
        END
    ) AS tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.reason
FROM lines
INNER JOIN invoice_numbers AS numbers ON lines.account_id = numbers.account_id
INNER JOIN cards ON lines.rate_card = cards.card_id;
