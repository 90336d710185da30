-- Answers: what the rated periods cost in all, card by card.
-- Grain: account × item × region × month × period × rate card. Temporary.
-- Reads: rating_priced, rating_totals, rating_accounts, price_lanes, price_terms, rating_months.
CREATE OR REPLACE TEMP TABLE rating_truth AS
SELECT
    a.account_key, a.account_id, l.item, l.scope AS region, m.month, g.month AS month_number,
    g.period_start, g.period_end, t.card_id AS rate_card, a.currency,
    l.denominator, a.replay_from IS NOT NULL AS replayed, g.quantity, g.free_quantity,
    g.plan_quantity, g.billable_quantity, g.amount, g.numerator, g.place_from
FROM (
    SELECT
        p.account_key, p.lane, p.month, p.card, p.period_start, any_value(p.period_end) AS period_end,
        sum(p.quantity) AS quantity, sum(p.free_quantity) AS free_quantity,
        sum(p.plan_quantity) AS plan_quantity, sum(p.billable_quantity) AS billable_quantity,
        sum(t.amount) AS amount, sum(p.numerator) AS numerator, min(p.place) AS place_from
    FROM rating_priced AS p
    JOIN rating_totals AS t
        ON t.account_key = p.account_key AND t.lane = p.lane AND t.seq = p.seq
    GROUP BY p.account_key, p.lane, p.month, p.card, p.period_start
) AS g
JOIN rating_accounts AS a ON a.account_key = g.account_key
JOIN price_lanes AS l ON l.lane = g.lane
JOIN price_terms AS t ON t.card = g.card
JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = g.month;
