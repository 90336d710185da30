-- What if that month had been priced by another book: what was charged, and what the book would charge.
-- Grain: one row per account × item × rate card of the tried book (NULL: it has no price for it).
-- Reads: charges_daily_parts, price_cards, card_of. Prices are those in force at the month's end; plans pay what they paid;
-- what is charged beside usage (plans sold, promotional credit, commitments) is left out.
-- Read by: people (edgetoll sql), sql/queries/what_another_book_would_charge.sql.
CREATE MACRO what_if(tried_book, tried_month) AS TABLE
WITH rated AS (
    SELECT
        account_id,
        item,
        region,
        currency,
        CAST(sum(quantity) AS HUGEINT) AS quantity,
        CAST(sum(plan_quantity) AS HUGEINT) AS plan_quantity,
        CAST(sum(amount) AS DECIMAL(38, 10)) AS charged,
        max(period_end) AS ends_at
    FROM charges_daily_parts
    WHERE
        month = tried_month AND item NOT IN ('peak_bandwidth', 'percentile95_bandwidth')
        AND NOT contains(rate_card, '/')
    GROUP BY account_id, item, region, currency
),

placed AS (
    SELECT
        r.account_id,
        r.item,
        card_of(r.item, r.region, tried_book, account := r.account_id,
            moment := r.ends_at - INTERVAL 5 MINUTE) AS card_id,
        r.currency,
        CAST(sum(r.quantity) AS HUGEINT) AS quantity,
        CAST(sum(r.plan_quantity) AS HUGEINT) AS plan_quantity,
        CAST(sum(r.charged) AS DECIMAL(38, 10)) AS charged
    FROM rated AS r
    GROUP BY ALL
),

cards AS (
    SELECT k.card_id, k.currency, k AS card, card_curve(k) AS curve
    FROM price_cards AS k
)

SELECT
    p.account_id,
    p.item,
    p.card_id,
    CAST(p.quantity AS BIGINT) AS quantity,
    CAST(p.plan_quantity AS BIGINT) AS plan_quantity,
    p.charged,
    p.currency,
    CASE
        WHEN c.card_id IS NOT NULL
            THEN money_of_units(card_units(c.card, c.curve, p.quantity, p.plan_quantity))
    END AS tried,
    c.currency AS tried_currency
FROM placed AS p
LEFT JOIN cards AS c ON c.card_id = p.card_id
