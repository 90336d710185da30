-- Answers: all lines of the run, usage first, then corrections, numbered, exact to 10^-10.
-- Grain: one row per invoice × line.
-- Reads: invoice_usage_lines, invoice_late, invoice_numbers, price_cards, price_tiers.
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
