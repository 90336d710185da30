-- Answers: what the rated periods cost in all, card by card.
-- Grain: account × item × region × month × period × rate card. Temporary.
-- Reads: rating_totals, rating_accounts, price_lanes, price_terms, rating_months.
CREATE OR REPLACE TEMP TABLE rating_truth AS
SELECT
    a.account_key, a.account_id, l.item, l.scope AS region, m.month, g.month AS month_number,
    g.period_start, g.period_end, t.card_id AS rate_card, a.currency,
    l.denominator, a.replay_from IS NOT NULL AS replayed, g.quantity, g.free_quantity,
    g.plan_quantity, g.billable_quantity, g.amount, g.numerator, g.place_from
FROM (
    SELECT
        account_key, lane, month, card, period_start, any_value(period_end) AS period_end,
        sum(quantity) AS quantity, sum(free_quantity) AS free_quantity,
        sum(plan_quantity) AS plan_quantity, sum(billable_quantity) AS billable_quantity,
        sum(amount) AS amount, sum(numerator) AS numerator, min(place) AS place_from
    FROM rating_totals
    GROUP BY account_key, lane, month, card, period_start
) AS g
JOIN rating_accounts AS a ON a.account_key = g.account_key
JOIN price_lanes AS l ON l.lane = g.lane
JOIN price_terms AS t ON t.card = g.card
JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = g.month;
