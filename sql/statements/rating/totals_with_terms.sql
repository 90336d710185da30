-- Answers: each slice with what it adds to its month's charge where a flat fee, cap or floor holds: usage
-- amount plus flat fee, then the cap, then, once the month has ended, the floor; of the card in force at that moment,
-- for late usage the last moment of the month at which the item was sold, for bandwidth the end of its
-- day or month (DOMAIN §10.7).
-- Grain: account × lane × seq.
-- Reads: rating_priced, rating_state, price_lanes, price_terms, price_force, rating_months,
-- rating_accounts, rating_method_periods.
INSERT INTO rating_totals
WITH own AS (
    SELECT DISTINCT account_id, lane FROM price_force WHERE account_id IS NOT NULL
), left_early AS (
    SELECT d.account_key, d.item_no, m.number AS month, max(least(d.ends_at, m.ends_at)) AS ends_at
    FROM rating_method_periods AS d
    JOIN rating_accounts AS a ON a.account_key = d.account_key
    JOIN rating_months AS m
        ON m.timezone = a.timezone AND m.starts_at < d.ends_at AND m.ends_at > d.starts_at
    GROUP BY ALL
), running AS (
    SELECT
        p.account_key, p.lane, p.month, p.seq, p.card, p.period_start, p.period_end, p.quantity,
        p.free_quantity, p.plan_quantity, p.billable_quantity, p.place, p.numerator, l.denominator,
        coalesce(f.card, p.card) AS terms_card,
        p.closes OR (p.late AND coalesce(d.ends_at, m.ends_at) = m.ends_at) AS ended, coalesce(s.amount, 0)::HUGEINT AS amount_before,
        coalesce(s.numerator, 0)::HUGEINT + sum(p.numerator) OVER (
            PARTITION BY p.account_key, p.lane, p.month ORDER BY p.seq
        ) AS total
    FROM rating_priced AS p
    JOIN price_lanes AS l ON l.lane = p.lane AND l.has_terms
    JOIN rating_accounts AS a ON a.account_key = p.account_key
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = p.month
    LEFT JOIN left_early AS d
        ON d.account_key = p.account_key AND d.item_no = l.item_no AND d.month = p.month
    LEFT JOIN own AS o ON o.account_id = a.account_id AND o.lane = p.lane
    LEFT JOIN price_force AS f
        ON (p.late OR p.kind = 1) AND f.lane = p.lane
        AND f.account_id IS NOT DISTINCT FROM o.account_id
        AND CASE WHEN p.late THEN coalesce(d.ends_at, m.ends_at) ELSE p.period_end END
            - INTERVAL 5 MINUTE BETWEEN f.force_from AND f.force_until - INTERVAL 5 MINUTE
    LEFT JOIN rating_state AS s
        ON s.account_key = p.account_key AND s.lane = p.lane AND s.month = p.month
), bounded AS (
    SELECT
        r.*,
        CASE
            WHEN r.ended THEN greatest(
                least(r.total + t.flat_fee, coalesce(t.maximum, r.total + t.flat_fee)),
                coalesce(t.minimum, least(r.total + t.flat_fee,
                    coalesce(t.maximum, r.total + t.flat_fee)))
            )
            ELSE least(r.total + t.flat_fee, coalesce(t.maximum, r.total + t.flat_fee))
        END // r.denominator AS charged
    FROM running AS r JOIN price_terms AS t ON t.card = r.terms_card
)
SELECT
    account_key, lane, month, card, period_start, period_end, quantity, free_quantity,
    plan_quantity, billable_quantity, place, numerator,
    charged - lag(charged, 1, amount_before) OVER (
        PARTITION BY account_key, lane, month ORDER BY seq
    )
FROM bounded;
