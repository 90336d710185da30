-- All lines of the run's documents, exact: what the month cost, and what is corrected of earlier months.
-- Run by billing/invoices/run.py in this order, after the chapter of usage.
-- Money is HUGEINT, 10^-10 currency units; nothing is rounded here.

-- name: all_lines
-- One row per account × line: usage first, then corrections. A correction is of one period: all hours of one corrected
-- invoice, by item, region, card and reason.
CREATE OR REPLACE TEMP TABLE invoice_all_lines AS
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
        due.account_no, late.month, late.item, late.region, late.rate_card, late.corrects_invoice, late.reason,
        min(late.period_start) AS corrects_hour,
        max(late.period_end) AS corrects_until,
        sum(late.free_quantity) AS free_quantity,
        sum(late.plan_quantity) AS plan_quantity,
        sum(late.billable_quantity) AS billable_quantity,
        sum(late.amount) AS amount
    FROM invoice_late AS late
    INNER JOIN invoice_due AS due ON late.account_id = due.account_id
    GROUP BY ALL
)

SELECT
    account_no,
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
    NULL::TIMESTAMP AS corrects_until,
    reason,
    $month::VARCHAR AS month
FROM invoice_usage_lines
UNION ALL
SELECT
    corrections.account_no,
    'correction' AS kind,
    corrections.item,
    corrections.region,
    corrections.rate_card,
    1 AS tier_no,
    corrections.free_quantity,
    corrections.plan_quantity,
    corrections.billable_quantity,
    CASE
        WHEN cards.count_tiers = 1 AND cards.model = 'per_unit'
                AND corrections.free_quantity + corrections.plan_quantity + corrections.billable_quantity <> 0
            THEN cards.unit_price
        ELSE 0
    END AS unit_price,
    corrections.amount,
    coalesce(agreement_name(corrections.rate_card), '') AS range_text,
    corrections.corrects_invoice,
    corrections.corrects_hour,
    corrections.corrects_until,
    corrections.reason,
    corrections.month
FROM corrections
LEFT JOIN cards ON corrections.rate_card = cards.card_id;

-- name: exact_lines
-- One row per account × line: numbered, with unit, price and tier as they are written, exact to 10^-10.
CREATE OR REPLACE TEMP TABLE invoice_exact_lines AS
WITH cards AS (
    SELECT
        card_id,
        effective_from,
        unit_quantity,
        unit AS counted_in,
        CASE
            WHEN unit = 'request' AND per = 1 THEN 'request'
            WHEN unit = 'request' THEN format('{:,}', CAST(per AS BIGINT)) || ' requests'
            WHEN per = 1 THEN unit
            ELSE format('{:,}', CAST(per AS BIGINT)) || ' ' || unit
        END AS unit,
        CASE WHEN discount_millionths > 0 THEN
            rtrim(rtrim(CAST(CAST(discount_millionths AS DECIMAL(18, 4)) * 0.0001::DECIMAL(5, 4) AS VARCHAR), '0'), '.')
            || ' % off the list price'
        END AS discount
    FROM price_cards
)

SELECT
    lines.account_no,
    CAST(row_number() OVER (
        PARTITION BY lines.account_no
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
    coalesce(cards.unit, '') AS unit,
    CAST(CASE WHEN lines.unit_price = 0 AND lines.amount <> 0 THEN 0 ELSE coalesce(cards.unit_quantity, 0) END AS BIGINT)
        AS unit_quantity,
    CAST(lines.unit_price AS HUGEINT) AS unit_price,
    CAST(lines.amount AS HUGEINT) AS amount,
    concat_ws(
        ', ',
        CASE
            WHEN lines.range_text = '' OR lines.range_text LIKE '% %' AND lines.range_text NOT LIKE 'above%' THEN nullif(lines.range_text, '')
            WHEN cards.counted_in = 'request' THEN lines.range_text || ' requests'
            ELSE lines.range_text || ' ' || cards.counted_in
        END,
        CASE WHEN lines.kind = 'usage' AND lines.reason = '' THEN cards.discount END
    ) AS tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.corrects_until,
    lines.reason,
    rates.tax_rate_bp
FROM invoice_all_lines AS lines
INNER JOIN invoice_tax_rates AS rates ON lines.account_no = rates.account_no AND lines.month = rates.month
LEFT JOIN cards ON lines.rate_card = cards.card_id;
