-- What things cost, a rate card as one row: its tiers as a list, the labels it prices (NULL: all), and when.
-- Grain: one row per rate card. An account's own card goes before the general one (account_id NULL).
-- Owner: billing/prices.
-- Reads: lake_prices, lake_price_labels.
-- Read by: people (edgetoll sql), sql/macros/card_of.sql, sql/macros/card_price.sql, sql/macros/what_if.sql,
-- sql/views/focus.sql.
CREATE VIEW price_cards AS
WITH labels AS (
    SELECT
        l.book,
        list(l.label ORDER BY l.label) FILTER (l.region <> 'CN') AS overseas
    FROM lake_price_labels AS l
    GROUP BY l.book
),

regional AS (
    SELECT
        l.book,
        l.region,
        list(l.label ORDER BY l.label) AS labels
    FROM lake_price_labels AS l
    GROUP BY l.book, l.region
),

cards AS (
    SELECT
        p.card_id,
        any_value(p.book) AS book,
        any_value(p.account_id) AS account_id,
        any_value(p.item) AS item,
        any_value(p.region) AS region,
        any_value(p.model) AS model,
        any_value(p.currency) AS currency,
        any_value(p.unit) AS unit,
        any_value(p.per) AS per,
        any_value(p.unit_quantity) AS unit_quantity,
        any_value(p.period) AS period,
        any_value(p.in_force_from) AS in_force_from,
        any_value(p.in_force_until) AS in_force_until,
        any_value(p.free_quantity) AS free_quantity,
        any_value(p.discount_millionths) AS discount_millionths,
        any_value(p.flat_fee) AS flat_fee,
        any_value(p.minimum) AS minimum,
        any_value(p.maximum) AS maximum,
        list({
            'above': p.tier_from, 'up_to': p.tier_to, 'price': p.unit_price,
            'flat_fee': p.tier_flat_fee, 'at_zero': p.at_zero
        } ORDER BY p.tier_no) AS tiers
    FROM lake_prices AS p
    GROUP BY p.card_id
)

SELECT
    c.card_id,
    c.book,
    c.account_id,
    c.item,
    c.region,
    CASE
        WHEN c.region = 'all' THEN NULL
        WHEN c.region = 'OverSeas' THEN list_append(o.overseas, 'OverSeas')
        -- A 95th percentile is taken over all of a customer's traffic outside CN (DOMAIN 1.8).
        WHEN c.item = 'percentile95_bandwidth' AND c.region <> 'CN' THEN CAST([] AS VARCHAR[])
        ELSE list_append(r.labels, c.region)
    END AS labels,
    c.model,
    c.currency,
    c.unit,
    c.per,
    c.unit_quantity,
    c.period,
    c.in_force_from,
    c.in_force_until,
    c.free_quantity,
    c.discount_millionths,
    c.flat_fee,
    c.minimum,
    c.maximum,
    c.tiers
FROM cards AS c
LEFT JOIN labels AS o ON c.book = o.book
LEFT JOIN regional AS r ON c.book = r.book AND c.region = r.region
