-- Amounts: what each slice costs, and what each period should cost, card by card.
-- Here and nowhere else money is cut to 10^-10 units: rating_totals cuts the month's running total once, toward zero (DOMAIN §10.11).
-- Reads: rating_slices, rating_free_parts, rating_plan_parts, rating_months_so_far, rating_accounts, rating_days, rating_months, charges, price_*.

-- name: billable
-- One row per slice: its part that is paid by money, and its place: the month-cumulative quantity before it.
-- Bandwidth has no place, each period is priced from zero.
CREATE OR REPLACE TEMP TABLE rating_billable AS
WITH planned AS (
    SELECT account_key, seq, sum(quantity) AS quantity
    FROM rating_plan_parts
    GROUP BY account_key, seq
), parts AS (
    SELECT
        s.account_key, s.tally, s.seq, s.card, s.month, s.hour, s.late, s.kind, s.opens, s.closes,
        s.weight, s.period_start, s.period_end, s.quantity::HUGEINT AS quantity,
        coalesce(f.quantity, 0)::HUGEINT AS free_quantity,
        coalesce(p.quantity, 0)::HUGEINT AS plan_quantity,
        coalesce(t.billable_quantity, 0)::HUGEINT AS place_before
    FROM rating_slices AS s
    LEFT JOIN rating_free_parts AS f ON f.account_key = s.account_key AND f.seq = s.seq
    LEFT JOIN planned AS p ON p.account_key = s.account_key AND p.seq = s.seq
    LEFT JOIN rating_months_so_far AS t
        ON t.account_key = s.account_key AND t.tally = s.tally AND t.month = s.month
)
SELECT
    *, quantity - free_quantity - plan_quantity AS billable_quantity,
    CASE WHEN kind = 1 THEN 0::HUGEINT ELSE place_before - quantity + free_quantity + plan_quantity
        + sum(quantity - free_quantity - plan_quantity) OVER (
            PARTITION BY account_key, tally, month ORDER BY seq
        )
    END AS place
FROM parts;
DROP TABLE rating_slices;

-- name: places_in_periods
-- One row per slice whose card accumulates over an hour or a day instead of the month: its place there
-- (step_reached, DOMAIN §10.9).
CREATE OR REPLACE TEMP TABLE rating_places_in_periods AS
WITH slices AS (
    SELECT
        p.account_key, a.account_id, l.item, l.scope, p.tally, p.seq, p.hour, p.month,
        p.billable_quantity, d.starts_at AS day, t.period, a.replay_from
    FROM rating_billable AS p
    JOIN price_tallies AS l ON l.tally = p.tally AND l.by_period
    JOIN price_terms AS t ON t.card = p.card
    JOIN rating_accounts AS a ON a.account_key = p.account_key
    JOIN rating_days AS d
        ON d.timezone = a.timezone AND p.period_start >= d.starts_at
        AND p.period_start < d.ends_at
    WHERE p.kind <> 1
), earlier AS (
    SELECT s.account_key, s.tally, s.day, sum(c.billable_quantity) AS billable_quantity
    FROM (
        SELECT DISTINCT account_key, account_id, item, scope, tally, day FROM slices
        WHERE replay_from IS NULL
    ) AS s
    JOIN charges AS c
        ON c.account_id = s.account_id AND c.item = s.item AND c.region = s.scope
        AND c.period_start >= s.day
    WHERE c.period_start >= $since
    GROUP BY ALL
), places AS (
    SELECT
        s.account_key, s.seq, s.period,
        sum(s.billable_quantity) OVER (
            PARTITION BY s.account_key, s.tally, s.month, s.hour ORDER BY s.seq
        ) - s.billable_quantity AS place_of_hour,
        sum(s.billable_quantity) OVER (
            PARTITION BY s.account_key, s.tally, s.day ORDER BY s.seq
        ) - s.billable_quantity + coalesce(e.billable_quantity, 0) AS place_of_day
    FROM slices AS s
    LEFT JOIN earlier AS e
        ON e.account_key = s.account_key AND e.tally = s.tally AND e.day = s.day
)
SELECT account_key, seq, CASE period WHEN 'hour' THEN place_of_hour ELSE place_of_day END AS place
FROM places
WHERE period <> 'month';

-- name: priced
-- One row per slice: its exact usage amount as a numerator over its tally's denominator, which is what the curve of
-- its card gives after it, minus what it gives before it (DOMAIN §10.5).
CREATE OR REPLACE TEMP TABLE rating_priced AS
WITH placed AS (
    SELECT p.* REPLACE (coalesce(n.place, p.place) AS place)
    FROM rating_billable AS p
    LEFT JOIN rating_places_in_periods AS n ON n.account_key = p.account_key AND n.seq = p.seq
)
SELECT
    p.account_key, p.tally, p.seq, p.card, p.month, p.late, p.kind, p.closes,
    p.period_start, p.period_end, p.quantity, p.free_quantity, p.plan_quantity,
    p.billable_quantity, p.place,
    (
        after.base + after.price * CASE
            WHEN after.step = 1 THEN p.place + p.billable_quantity - after.origin
            ELSE (p.place + p.billable_quantity - after.origin + after.step - 1) // after.step
        END
        - before.base - before.price * CASE
            WHEN before.step = 1 THEN p.place - before.origin
            ELSE (p.place - before.origin + before.step - 1) // before.step
        END
    ) * p.weight
    + CASE WHEN p.opens THEN t.at_zero ELSE 0 END AS numerator
FROM placed AS p
JOIN price_terms AS t ON t.card = p.card
JOIN price_curve AS before
    ON before.card = p.card AND p.place > before.lower AND p.place <= before.upper
JOIN price_curve AS after
    ON after.card = p.card AND p.place + p.billable_quantity > after.lower
    AND p.place + p.billable_quantity <= after.upper;
DROP TABLE rating_billable;

-- name: totals
-- One row per slice with what it adds to its month's charge: the running total, in tallies with fixed terms bounded
-- by them, is cut once, and the charge is the difference of cut totals. Fixed terms: usage amount plus flat fee,
-- then the cap, then, once the month has ended, the floor; of the card in force at that moment, for late usage the
-- last moment of the month at which the item was sold, for bandwidth the end of its day or month (DOMAIN §10.7).
CREATE OR REPLACE TEMP TABLE rating_totals AS
WITH own AS (
    SELECT DISTINCT account_id, tally FROM price_force WHERE account_id IS NOT NULL
), left_early AS (
    SELECT d.account_key, d.item_no, m.number AS month, max(least(d.ends_at, m.ends_at)) AS ends_at
    FROM rating_method_periods AS d
    JOIN rating_accounts AS a ON a.account_key = d.account_key
    JOIN rating_months AS m
        ON m.timezone = a.timezone AND m.starts_at < d.ends_at AND m.ends_at > d.starts_at
    GROUP BY ALL
), terms AS (
    SELECT
        p.account_key, p.seq, coalesce(f.card, p.card) AS card,
        p.closes OR (p.late AND coalesce(d.ends_at, m.ends_at) = m.ends_at) AS ended
    FROM rating_priced AS p
    JOIN price_tallies AS l ON l.tally = p.tally AND l.has_terms
    JOIN rating_accounts AS a ON a.account_key = p.account_key
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = p.month
    LEFT JOIN left_early AS d
        ON d.account_key = p.account_key AND d.item_no = l.item_no AND d.month = p.month
    LEFT JOIN own AS o ON o.account_id = a.account_id AND o.tally = p.tally
    LEFT JOIN price_force AS f
        ON (p.late OR p.kind = 1) AND f.tally = p.tally
        AND f.account_id IS NOT DISTINCT FROM o.account_id
        AND CASE WHEN p.late THEN coalesce(d.ends_at, m.ends_at) ELSE p.period_end END
            - INTERVAL 5 MINUTE BETWEEN f.force_from AND f.force_until - INTERVAL 5 MINUTE
), running AS (
    SELECT
        p.*, l.denominator, t.card AS terms_card, t.ended,
        coalesce(s.amount, 0)::HUGEINT AS amount_before,
        coalesce(s.numerator, 0)::HUGEINT + sum(p.numerator) OVER (
            PARTITION BY p.account_key, p.tally, p.month ORDER BY p.seq
        ) AS total
    FROM rating_priced AS p
    JOIN price_tallies AS l ON l.tally = p.tally
    LEFT JOIN terms AS t ON t.account_key = p.account_key AND t.seq = p.seq
    LEFT JOIN rating_months_so_far AS s
        ON s.account_key = p.account_key AND s.tally = p.tally AND s.month = p.month
), bounded AS (
    SELECT
        r.*,
        CASE
            WHEN r.terms_card IS NULL THEN r.total
            WHEN r.ended
            THEN greatest(least(r.total + t.flat_fee, t.maximum), t.minimum)
            ELSE least(r.total + t.flat_fee, t.maximum)
        END AS due
    FROM running AS r LEFT JOIN price_terms AS t ON t.card = r.terms_card
), charged AS (
    SELECT
        *,
        -- A HUGEINT division takes thirty times as long as a BIGINT one, which nearly always holds it.
        CASE
            WHEN greatest(abs(due), denominator) < 4611686018427387904
            THEN due::BIGINT // denominator::BIGINT
            ELSE due // denominator
        END AS charged
    FROM bounded
)
SELECT
    account_key, tally, month, card, period_start, period_end, quantity, free_quantity,
    plan_quantity, billable_quantity, place, numerator,
    charged - lag(charged, 1, amount_before) OVER (
        PARTITION BY account_key, tally, month ORDER BY seq
    ) AS amount
FROM charged;
DROP TABLE rating_priced;

-- name: should_cost
-- One row per account × item × region × month × period × rate card: what the rated periods cost in all.
CREATE OR REPLACE TEMP TABLE rating_should_cost AS
SELECT
    a.account_key, a.account_id, l.item, l.scope AS region, m.month, g.month AS month_number,
    g.period_start, g.period_end, t.card_id AS rate_card, a.currency,
    l.denominator, a.replay_from IS NOT NULL AS replayed, g.quantity, g.free_quantity,
    g.plan_quantity, g.billable_quantity, g.amount, g.numerator, g.place_from
FROM (
    SELECT
        account_key, tally, month, card, period_start, any_value(period_end) AS period_end,
        sum(quantity) AS quantity, sum(free_quantity) AS free_quantity,
        sum(plan_quantity) AS plan_quantity, sum(billable_quantity) AS billable_quantity,
        sum(amount) AS amount, sum(numerator) AS numerator, min(place) AS place_from
    FROM rating_totals
    GROUP BY account_key, tally, month, card, period_start
) AS g
JOIN rating_accounts AS a ON a.account_key = g.account_key
JOIN price_tallies AS l ON l.tally = g.tally
JOIN price_terms AS t ON t.card = g.card
JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = g.month;
DROP TABLE rating_totals;
