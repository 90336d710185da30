-- Answers: what is to be priced, in the order in which it uses quotas, plans and tiers: by place in
-- time (late usage where it was first rated), hour, month, price change, region (DOMAIN §10.2, §10.12).
-- kind: 0 usage, 1 bandwidth, 2 a moment of fixed terms, which comes after all usage of its hour and card:
-- a region may sort after its card's scope, and nothing may follow the moment that closes the month.
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_sold, rating_sold_bandwidth, rating_touches, rating_held_now.
CREATE OR REPLACE TEMP TABLE rating_slices AS
WITH parts AS (
    SELECT account_key, lane, month, hour, placed, late, card, force_no, place_no, 0 AS kind,
        FALSE AS opens, FALSE AS closes, 1::HUGEINT AS weight, period_start, period_end, quantity
    FROM rating_sold
    WHERE card IS NOT NULL
    UNION ALL
    SELECT account_key, lane, month, hour, hour, FALSE, card, force_no, place_no, 1,
        FALSE, FALSE, weight, starts_at, ends_at, quantity
    FROM rating_sold_bandwidth
    WHERE card IS NOT NULL
    UNION ALL
    SELECT account_key, lane, month, hour, hour, FALSE, card, force_no, place_no, 2,
        opens, closes, 1, period_start, period_end, 0
    FROM rating_touches
), ordered AS (
    SELECT
        p.*,
        ((((((epoch(p.placed)::BIGINT // 3600 - $hour_zero) * 2
            + CASE WHEN p.late THEN 0 ELSE 1 END) * $hours
            + (epoch(p.hour)::BIGINT // 3600 - $hour_zero)) * $months
            + (p.month - $month_zero)) * $forces
            + p.force_no) * $places
            + CASE p.kind WHEN 2 THEN $places - 1 ELSE p.place_no END) * 3
            + p.kind AS seq
    FROM parts AS p
    ANTI JOIN rating_held_now AS h ON h.account_key = p.account_key AND h.hour = p.hour
)
SELECT
    account_key, lane, seq, card, any_value(month) AS month, any_value(hour) AS hour,
    any_value(late) AS late, any_value(force_no) AS force_no, any_value(place_no) AS place_no,
    any_value(kind) AS kind, bool_or(opens) AS opens, bool_or(closes) AS closes,
    any_value(weight) AS weight, any_value(period_start) AS period_start,
    any_value(period_end) AS period_end, sum(quantity) AS quantity
FROM ordered
GROUP BY account_key, lane, seq, card;
