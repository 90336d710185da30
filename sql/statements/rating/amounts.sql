-- Amounts: what each slice costs, and what each period should cost, card by card.
-- Money is cut to 10^-10 units by sql/macros/cut_to_units alone: here the month's running totals, once (DOMAIN §10.11).
-- Reads: rating_slices, rating_sold, rating_held_now, rating_free_parts, rating_plan_parts, rating_months_so_far, rating_accounts, rating_days, rating_months, charges, month_lanes, price_*.

-- name: formulas
-- What a numerator that brings the month's running total to `total` adds to its charge: the difference of cut totals.
CREATE OR REPLACE TEMP MACRO rating_cut(total, added, parts) AS
    cut_to_units(total, parts) - cut_to_units(total - added, parts);

-- name: narrow
-- How quantities and amounts are kept: in 64 bits, whose arithmetic takes a third of the time. What does not fit raises an
-- error, and everything is rated again in 128 (wide): nothing ever wraps around.
CREATE OR REPLACE TEMP MACRO rating_whole(number) AS CAST(number AS BIGINT);

-- name: wide
-- The same in 128 bits.
CREATE OR REPLACE TEMP MACRO rating_whole(number) AS CAST(number AS HUGEINT);

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
-- One row per slice: what the curve of its card gives after it, minus what it gives before it, as a numerator over
-- its tally's denominator (DOMAIN §10.5), and what it adds to its month's charge: the month's running total is cut
-- once, and the amount is the difference of cut totals.
CREATE OR REPLACE TEMP TABLE rating_priced AS
WITH placed AS (
    SELECT p.* REPLACE (coalesce(n.place, p.place) AS place)
    FROM rating_billable AS p
    LEFT JOIN rating_places_in_periods AS n ON n.account_key = p.account_key AND n.seq = p.seq
), exact AS (
    SELECT
        p.account_key, p.tally, p.seq, p.card, p.month, p.late, p.kind, p.closes,
        p.period_start, p.period_end, p.quantity, p.free_quantity, p.plan_quantity,
        p.billable_quantity, p.place,
        (
            curve_at(
                p.place + p.billable_quantity, after.base, after.price, after.step, after.origin
            ) - curve_at(p.place, before.base, before.price, before.step, before.origin)
        ) * p.weight
        + CASE WHEN p.opens THEN t.at_zero ELSE 0 END AS numerator
    FROM placed AS p
    JOIN price_terms AS t ON t.card = p.card
    JOIN price_curve AS before
        ON before.card = p.card AND p.place > before.lower AND p.place <= before.upper
    JOIN price_curve AS after
        ON after.card = p.card AND p.place + p.billable_quantity > after.lower
        AND p.place + p.billable_quantity <= after.upper
), running AS (
    SELECT
        p.*, l.denominator,
        coalesce(s.numerator, 0)::HUGEINT + sum(p.numerator) OVER (
            PARTITION BY p.account_key, p.tally, p.month ORDER BY p.seq
        ) AS total
    FROM exact AS p
    JOIN price_tallies AS l ON l.tally = p.tally
    LEFT JOIN rating_months_so_far AS s
        ON s.account_key = p.account_key AND s.tally = p.tally AND s.month = p.month
)
SELECT *, rating_cut(total, numerator, denominator) AS amount
FROM running;
DROP TABLE rating_billable;

-- name: fixed_terms
-- One row per slice × fixed term that moves the month's charge beside its usage: the flat fee is added, the maximum
-- (the cap) takes away what is above it, and once the month has ended the minimum (the floor) adds what is missing;
-- of the card in force at that moment, for late usage the last moment of the month at which the item was sold, for
-- bandwidth the end of its day or month (DOMAIN §10.7). Each is a difference of cut totals too. A prorated card asks
-- flat fee and minimum for the open part of the month, of whole 5-minute buckets (DOMAIN §10.14): all is counted in
-- month-ths then, and cut once. In a month in which the account was not open at all neither is due.
CREATE OR REPLACE TEMP TABLE rating_fixed_terms AS
WITH own AS (
    SELECT DISTINCT account_id, tally FROM price_force WHERE account_id IS NOT NULL
), left_early AS (
    SELECT d.account_key, d.item_no, m.number AS month, max(least(d.ends_at, m.ends_at)) AS ends_at
    FROM rating_method_periods AS d
    JOIN rating_accounts AS a ON a.account_key = d.account_key
    JOIN rating_months AS m
        ON m.timezone = a.timezone AND m.starts_at < d.ends_at AND m.ends_at > d.starts_at
    GROUP BY ALL
), slices AS (
    SELECT
        p.account_key, p.tally, p.seq, p.month, p.card, p.period_start, p.period_end, p.place,
        p.total, p.denominator, coalesce(f.card, p.card) AS terms_card,
        epoch(m.ends_at - m.starts_at)::HUGEINT // 300 AS buckets,
        greatest(0, epoch(least(m.ends_at, a.closes_at) - greatest(m.starts_at, a.opens_at)))::HUGEINT
            // 300 AS open_buckets,
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
), shared AS (
    SELECT
        s.*, cut_to_units(s.total, s.denominator) AS used,
        CASE WHEN t.prorated THEN s.buckets ELSE 1 END AS parts,
        s.total * CASE WHEN t.prorated THEN s.buckets ELSE 1 END
            + t.flat_fee * CASE WHEN t.prorated THEN s.open_buckets ELSE sign(s.open_buckets) END
            AS with_flat_fee,
        t.maximum * CASE WHEN t.prorated THEN s.buckets ELSE 1 END AS most,
        CASE WHEN s.ended AND s.open_buckets > 0
            THEN t.minimum * CASE WHEN t.prorated THEN s.open_buckets ELSE 1 END END AS least_due
    FROM slices AS s JOIN price_terms AS t ON t.card = s.terms_card
), bounded AS (
    SELECT
        *, cut_to_units(with_flat_fee, denominator * parts) AS with_fee,
        cut_to_units(within_terms(with_flat_fee, most, NULL), denominator * parts) AS capped,
        cut_to_units(within_terms(with_flat_fee, most, least_due), denominator * parts) AS due
    FROM shared
), moved AS (
    SELECT
        b.*,
        with_fee - used - lag(with_fee - used, 1, coalesce(s.flat_fee, 0)::HUGEINT) OVER steps
            AS flat_fee,
        capped - with_fee - lag(capped - with_fee, 1, coalesce(s.maximum, 0)::HUGEINT) OVER steps
            AS maximum,
        due - capped - lag(due - capped, 1, coalesce(s.minimum, 0)::HUGEINT) OVER steps AS minimum
    FROM bounded AS b
    LEFT JOIN rating_months_so_far AS s
        ON s.account_key = b.account_key AND s.tally = b.tally AND s.month = b.month
    WINDOW steps AS (PARTITION BY b.account_key, b.tally, b.month ORDER BY b.seq)
)
SELECT account_key, tally, month, card, period_start, period_end, place, 'flat fee' AS term,
    flat_fee AS amount
FROM moved WHERE flat_fee <> 0
UNION ALL
SELECT account_key, tally, month, card, period_start, period_end, place, 'maximum', maximum
FROM moved WHERE maximum <> 0
UNION ALL
SELECT account_key, tally, month, card, period_start, period_end, place, 'minimum', minimum
FROM moved WHERE minimum <> 0;

-- name: costs
-- One row per account × tally × month × period × card × term: what the rated periods cost in all. term: usage, or the
-- fixed term of the card that costs or takes away. Whole numbers alone: names are looked up by who reads them (should_cost).
-- A day of bandwidth and the hour in which it begins are two periods of one start: they fall due at different times.
-- to_*: what the month-to-date comes to, where the statement that priced the row had it at hand (plain).
CREATE OR REPLACE TEMP TABLE rating_costs AS
WITH parts AS (
    SELECT
        account_key, tally, month, card, period_start, period_end, 'usage' AS term, quantity,
        free_quantity, plan_quantity, billable_quantity, amount, numerator, place
    FROM rating_priced
    UNION ALL
    SELECT
        account_key, tally, month, card, period_start, period_end, term, 0, 0, 0, 0, amount, 0,
        place
    FROM rating_fixed_terms
), added AS (
    SELECT
        account_key, tally, month, card, period_start, period_end, term,
        sum(quantity) AS quantity, sum(free_quantity) AS free_quantity,
        sum(plan_quantity) AS plan_quantity, sum(billable_quantity) AS billable_quantity,
        sum(amount) AS amount, sum(numerator) AS numerator, min(place) AS place_from
    FROM parts
    GROUP BY account_key, tally, month, card, period_start, period_end, term
)
SELECT
    d.account_key, d.tally, d.month, d.card, d.period_start, d.period_end, d.term,
    rating_whole(d.quantity) AS quantity, rating_whole(d.free_quantity) AS free_quantity,
    rating_whole(d.plan_quantity) AS plan_quantity,
    rating_whole(d.billable_quantity) AS billable_quantity, rating_whole(d.amount) AS amount,
    d.numerator::HUGEINT AS numerator, rating_whole(d.place_from) AS place_from,
    a.account_no, a.replay_from IS NOT NULL AS replayed,
    NULL::BIGINT AS to_free, NULL::BIGINT AS to_plan, NULL::BIGINT AS to_billable,
    NULL::BIGINT AS to_amount, NULL::BIGINT AS to_place_from, NULL::HUGEINT AS to_numerator
FROM added AS d
JOIN rating_accounts AS a ON a.account_key = d.account_key;
DROP TABLE rating_priced;

-- name: plain
-- One row more per account × tally with plain usage. Nothing of it asks for an order: all of an account's usage of a
-- tally is of one hour and one card, so that its regions add up before they are priced. Where one row of month_sums is all
-- that its month has so far (rating_quick_lanes) it is read where it stands, and what it comes to is known at once.
INSERT INTO rating_costs
WITH used AS (
    SELECT
        s.account_key, s.tally, any_value(s.month) AS month, any_value(s.card) AS card,
        any_value(s.period_start) AS period_start, any_value(s.period_end) AS period_end,
        rating_whole(sum(s.quantity)) AS quantity
    FROM rating_sold AS s
    ANTI JOIN rating_held_now AS h ON h.account_key = s.account_key AND h.hour = s.hour
    WHERE s.plain
    GROUP BY s.account_key, s.tally
), placed AS (
    SELECT
        u.*, a.account_no, l.denominator,
        greatest(0, least(
            u.quantity,
            rating_whole(t.free_quantity) - coalesce(k.free_quantity, rating_whole(m.free_quantity), 0)
        )) AS free_quantity,
        coalesce(k.billable_quantity, rating_whole(m.billable_quantity), 0) AS place,
        coalesce(k.numerator, m.numerator, 0)::HUGEINT AS so_far,
        k.free_quantity AS free_before, k.plan_quantity AS plan_before, k.amount AS amount_before,
        k.place_from AS place_before
    FROM used AS u
    JOIN rating_accounts AS a ON a.account_key = u.account_key
    JOIN price_terms AS t ON t.card = u.card
    JOIN price_tallies AS l ON l.tally = u.tally
    LEFT JOIN rating_quick_lanes AS q
        ON q.tally = u.tally AND q.month = u.month AND q.card = u.card AND NOT a.has_own
    LEFT JOIN month_sums AS k ON k.account_no = a.account_no AND k.lane_no = q.lane_no
    LEFT JOIN rating_months_so_far AS m
        ON m.account_key = u.account_key AND m.tally = u.tally AND m.month = u.month
), exact AS (
    SELECT
        p.*, p.quantity - p.free_quantity AS billable_quantity,
        curve_at(
            p.place + p.quantity - p.free_quantity, after.base, after.price, after.step,
            after.origin
        ) - curve_at(p.place, before.base, before.price, before.step, before.origin)
            AS numerator
    FROM placed AS p
    JOIN price_curve AS before
        ON before.card = p.card AND p.place > before.lower AND p.place <= before.upper
    JOIN price_curve AS after
        ON after.card = p.card AND p.place + p.quantity - p.free_quantity > after.lower
        AND p.place + p.quantity - p.free_quantity <= after.upper
), cut AS (
    SELECT
        *, rating_whole(rating_cut(so_far + numerator, numerator, denominator)) AS amount
    FROM exact
)
SELECT
    account_key, tally, month, card, period_start, period_end, 'usage', quantity, free_quantity, 0,
    billable_quantity, amount, numerator, place, account_no, FALSE,
    free_before + free_quantity, plan_before,
    CASE WHEN amount_before IS NOT NULL THEN place + billable_quantity END, amount_before + amount,
    least(place_before, place), CASE WHEN amount_before IS NOT NULL THEN so_far + numerator END
FROM cut;
DROP TABLE rating_sold;
DROP TABLE rating_months_so_far;

-- name: should_cost
-- rating_lanes: one row per month × tally × card that costs something, with names and the number of its month-to-date (NULL:
-- none yet). rating_should_cost: the costs with these: one row per account × item × region × month × period × rate card ×
-- term; and what is charged beside usage (billing.rating.agreements), whose rate card is an agreement.
CREATE OR REPLACE TEMP TABLE rating_lanes AS
SELECT
    g.month AS month_number, g.tally, g.card, m.month, l.item, l.scope AS region,
    t.card_id AS rate_card, l.denominator, n.lane_no, b.currency
FROM (SELECT DISTINCT month, tally, card FROM rating_costs) AS g
JOIN price_tallies AS l ON l.tally = g.tally
JOIN price_books AS b ON b.book = l.book
JOIN price_terms AS t ON t.card = g.card
JOIN (SELECT DISTINCT number, month FROM rating_months) AS m ON m.number = g.month
LEFT JOIN month_lanes AS n
    ON n.month = m.month AND n.item = l.item AND n.region = l.scope AND n.rate_card = t.card_id;
CREATE OR REPLACE TEMP VIEW rating_should_cost AS
SELECT
    g.account_key, a.account_id, l.item, l.region, l.month, g.period_start,
    g.period_end, l.rate_card, g.term, a.currency, l.denominator,
    g.replayed, g.quantity, g.free_quantity, g.plan_quantity,
    g.billable_quantity, g.amount, g.numerator, g.place_from
FROM rating_costs AS g
JOIN rating_accounts AS a ON a.account_key = g.account_key
JOIN rating_lanes AS l ON l.month_number = g.month AND l.tally = g.tally AND l.card = g.card
UNION ALL
SELECT
    b.account_key, a.account_id, b.item, b.region, b.month, b.period_start, b.period_end,
    b.rate_card, b.term, a.currency, 1, a.replay_from IS NOT NULL, 0, 0, 0, 0,
    rating_whole(b.amount), 0, 0
FROM rating_agreed AS b
JOIN rating_accounts AS a ON a.account_key = b.account_key;
