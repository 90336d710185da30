-- Slices: everything that moves a month's total, in the order in which it uses quotas, plans and tiers.
-- Usage, bandwidth and the moments of fixed terms come together here; account-hours without a price are held out.
-- Reads: rating_sold, rating_sold_bandwidth, rating_input, rating_accounts, rating_method_periods, rating_months, month_state, price_*.

-- name: fixed_term_moments
-- One row per account × tally × month × moment at which a fixed term (flat fee, cap, floor, fee at zero) moves the
-- total without usage: its month or billing method begins, the card in force changes, its month ends (DOMAIN §10.7). An account
-- has them in each month in which it was open, whether it used anything or not (DOMAIN §10.14).
CREATE OR REPLACE TEMP TABLE rating_fixed_term_moments AS
WITH months AS (
    SELECT
        a.account_key, a.account_id, a.replay_from, l.tally, l.item_no, l.scope, m.number AS month,
        m.starts_at, m.ends_at, a.basic_item_no,
        greatest(m.starts_at, a.opens_at) AS opens_at
    FROM rating_accounts AS a
    JOIN price_tallies AS l ON l.book = a.book AND l.has_terms
    JOIN rating_months AS m ON m.timezone = a.timezone
    WHERE a.has_book AND a.currency_fits AND m.ends_at > a.opens_at
        AND m.starts_at < a.closes_at AND m.ends_at > coalesce(a.replay_from, $last_through)
), own AS (
    SELECT DISTINCT account_id, tally FROM price_force WHERE account_id IS NOT NULL
), runs AS (
    SELECT p.account_key, p.tally, p.month, f.card, f.force_no, f.force_from, f.force_until
    FROM months AS p
    LEFT JOIN own AS o ON o.account_id = p.account_id AND o.tally = p.tally
    JOIN price_force AS f
        ON f.tally = p.tally AND f.account_id IS NOT DISTINCT FROM o.account_id
        AND f.force_from < p.ends_at AND f.force_until > p.opens_at
), moments AS (
    SELECT p.*, p.opens_at AS moment, TRUE AS opens, FALSE AS closes FROM months AS p
    UNION ALL
    SELECT p.*, r.force_from, FALSE, FALSE
    FROM months AS p JOIN runs AS r USING (account_key, tally, month)
    WHERE r.force_from > p.opens_at AND r.force_from < p.ends_at
    UNION ALL
    SELECT p.*, d.starts_at, FALSE, FALSE
    FROM months AS p
    JOIN rating_method_periods AS d ON d.account_key = p.account_key AND d.item_no = p.item_no
    WHERE d.starts_at > p.opens_at AND d.starts_at < p.ends_at
    UNION ALL
    SELECT p.*, p.ends_at - INTERVAL 5 MINUTE, FALSE, TRUE FROM months AS p
)
SELECT
    m.account_key, m.tally, m.month, date_trunc('hour', m.moment) AS hour, m.opens, m.closes, r.card,
    r.force_no, t.scope_no,
    greatest(date_trunc('hour', m.moment), m.starts_at, r.force_from) AS period_start,
    least(date_trunc('hour', m.moment) + INTERVAL 1 HOUR, m.ends_at, r.force_until) AS period_end
FROM moments AS m
JOIN runs AS r
    ON r.account_key = m.account_key AND r.tally = m.tally AND r.month = m.month
    AND m.moment >= r.force_from AND m.moment < r.force_until
JOIN price_scopes AS t ON t.scope = m.scope
LEFT JOIN rating_method_periods AS p
    ON p.account_key = m.account_key AND m.moment >= p.starts_at AND m.moment < p.ends_at
WHERE date_trunc('hour', m.moment) < $through
    AND (m.item_no <= 3 OR m.item_no = coalesce(p.item_no, m.basic_item_no))
    AND CASE
        WHEN m.replay_from IS NULL THEN date_trunc('hour', m.moment) >= $last_through
        ELSE m.moment >= m.replay_from
    END;

-- name: past_lanes
-- One row per lane of a month at hand × tally that its item and region may be: where its month so far stands. alone: no other
-- lane has anything of its tally's month; other books' cards have nothing of its accounts, which keep their book once they
-- are charged, and cards of one account have nothing of others.
CREATE OR REPLACE TEMP TABLE rating_past_lanes AS
WITH lanes AS (
    SELECT
        n.lane_no, l.book, l.tally, m.number AS month, n.rate_card, l.denominator, l.numerator_most,
        l.has_terms, t.card, t.account_id IS NULL AND coalesce(t.tally = l.tally, TRUE) AS is_shared
    FROM month_lanes AS n
    JOIN price_tallies AS l ON l.item = n.item AND l.scope = n.region
    JOIN (SELECT DISTINCT month, number FROM rating_months) AS m ON m.month = n.month
    LEFT JOIN price_terms AS t ON t.card_id = n.rate_card
    WHERE n.month >= $first_month AND n.rate_card NOT LIKE 'credit/%'
)
SELECT
    * EXCLUDE (is_shared),
    is_shared AND count(*) FILTER (is_shared) OVER (PARTITION BY tally, month) = 1 AS alone
FROM lanes;

-- name: quick_lanes
-- One row per lane alone whose rows all fit as they stand: in 64 bits, in the denominator of its tally and within its room. What
-- is plain there is priced from month_sums itself, in the usual hour nearly everything. $narrow: whether this pass is in 64 bits.
CREATE OR REPLACE TEMP TABLE rating_quick_lanes AS
WITH kept AS (
    SELECT
        lane_no, min(denominator) AS least_denominator, max(denominator) AS most_denominator,
        greatest(max(numerator), -min(numerator)) AS numerator,
        bool_or(flat_fee <> 0 OR maximum <> 0 OR minimum <> 0) AS had_terms
    FROM month_sums
    WHERE lane_no IN (SELECT lane_no FROM rating_past_lanes WHERE alone AND NOT has_terms)
    GROUP BY lane_no
)
SELECT l.lane_no, l.tally, l.month, l.card
FROM rating_past_lanes AS l
JOIN kept AS k ON k.lane_no = l.lane_no
WHERE $narrow AND l.alone AND l.card IS NOT NULL
    AND k.least_denominator = l.denominator AND k.most_denominator = l.denominator
    AND k.numerator <= l.numerator_most AND NOT k.had_terms
    AND l.lane_no NOT IN (SELECT lane_no FROM month_sums_large);

-- name: months_so_far
-- One row per account × tally × month of accounts that only add: the month-to-date before this run, where plain usage of a
-- quick lane is not all that asks for it. Replayed
-- accounts begin their months from nothing. flat_fee is what neither usage nor maximum (below zero) nor minimum
-- explains: months begun before terms were charged apart have it all there. too_large: a numerator does not fit the denominator that the tally's
-- prices have now, or leaves no room for the rest of a month (billing.prices.largest_hour).
-- Most accounts have one row of each tally and month: only where cards changed, or an account has cards of its own, is there
-- anything to add up.
CREATE OR REPLACE TEMP TABLE rating_months_so_far AS
WITH ordered AS (
    SELECT DISTINCT account_key, tally FROM rating_sold WHERE NOT plain
    UNION
    SELECT DISTINCT account_key, tally FROM rating_sold_bandwidth
    UNION
    SELECT DISTINCT account_key, tally FROM rating_fixed_term_moments
), asked AS (
    SELECT account_key, tally FROM ordered
    UNION
    SELECT s.account_key, s.tally
    FROM rating_sold AS s
    JOIN rating_accounts AS a ON a.account_key = s.account_key
    LEFT JOIN rating_quick_lanes AS q
        ON q.tally = s.tally AND q.month = s.month AND q.card = s.card
    WHERE s.plain AND (a.has_own OR q.lane_no IS NULL)
), parts AS (
    SELECT
        a.account_key, l.tally, l.month, l.denominator, l.numerator_most, l.has_terms,
        l.alone AND NOT a.has_own AS alone,
        s.free_quantity, s.billable_quantity, s.amount, s.maximum, s.minimum,
        CASE
            WHEN s.denominator = l.denominator THEN s.numerator
            ELSE TRY(s.numerator * (l.denominator // gcd(s.denominator, l.denominator)))
                // (s.denominator // gcd(s.denominator, l.denominator))
        END AS numerator
    FROM asked AS k
    JOIN rating_accounts AS a ON a.account_key = k.account_key AND a.replay_from IS NULL
    JOIN rating_past_lanes AS l ON l.tally = k.tally AND l.book = a.book
    JOIN month_numbers AS s ON s.lane_no = l.lane_no AND s.account_no = a.account_no
), added AS (
    SELECT
        account_key, tally, month, denominator, numerator_most, has_terms, free_quantity,
        billable_quantity, amount, maximum, minimum, numerator, numerator IS NULL AS unfit
    FROM parts
    WHERE alone
    UNION ALL
    SELECT
        account_key, tally, month, any_value(denominator), any_value(numerator_most),
        any_value(has_terms), sum(free_quantity), sum(billable_quantity), sum(amount), sum(maximum),
        sum(minimum), sum(numerator),
        bool_or(numerator IS NULL OR abs(numerator) > numerator_most)
    FROM parts
    WHERE NOT alone
    GROUP BY account_key, tally, month
)
SELECT
    account_key, tally, month, free_quantity, billable_quantity, numerator,
    CASE WHEN has_terms THEN amount - numerator // denominator - maximum - minimum END AS flat_fee,
    CASE WHEN has_terms THEN maximum END AS maximum, CASE WHEN has_terms THEN minimum END AS minimum,
    unfit OR abs(numerator) > numerator_most AS too_large
FROM added;

-- name: too_large
-- One row per account × hour × tally that is too large to be priced in whole numbers: a product would not fit, and
-- a sum might wrap around. Either the hour holds more than its tally's limit, or the month so far does not fit the
-- denominator its prices have now.
CREATE OR REPLACE TEMP TABLE rating_too_large AS
WITH sold AS (
    SELECT account_key, hour, tally, month, quantity FROM rating_sold WHERE tally IS NOT NULL
    UNION ALL
    SELECT account_key, hour, tally, month, quantity FROM rating_sold_bandwidth
    WHERE tally IS NOT NULL
    UNION ALL
    SELECT account_key, hour, tally, month, 0 FROM rating_fixed_term_moments
), smallest AS (
    SELECT tally, min(hour_most) AS hour_most FROM price_largest_hours GROUP BY tally
), large AS (
    -- An hour has less than a thousand rows of one tally: nearly always nothing is left to add up.
    SELECT DISTINCT s.account_key, s.hour, s.tally
    FROM sold AS s
    JOIN smallest AS l ON l.tally = s.tally AND s.quantity > l.hour_most // 1000
), added AS (
    SELECT s.account_key, s.hour, s.tally, sum(s.quantity) AS quantity
    FROM sold AS s
    SEMI JOIN large AS g ON g.account_key = s.account_key AND g.hour = s.hour AND g.tally = s.tally
    GROUP BY ALL
)
SELECT d.account_key, d.hour, d.tally, d.quantity, coalesce(o.hour_most, l.hour_most) AS hour_most
FROM added AS d
JOIN rating_accounts AS a ON a.account_key = d.account_key
JOIN price_largest_hours AS l ON l.tally = d.tally AND l.account_id IS NULL
LEFT JOIN price_largest_hours AS o ON o.tally = d.tally AND o.account_id = a.account_id
WHERE d.quantity > coalesce(o.hour_most, l.hour_most)
UNION
SELECT s.account_key, s.hour, s.tally, NULL, NULL
FROM sold AS s
SEMI JOIN (SELECT account_key, tally, month FROM rating_months_so_far WHERE too_large) AS t
    ON t.account_key = s.account_key AND t.tally = s.tally AND t.month = s.month;

-- name: held_now
-- One row per account × hour that cannot be priced, and what to do about it. It stays unrated.
CREATE OR REPLACE TEMP TABLE rating_held_now AS
WITH unpriced AS (
    SELECT s.account_key, s.hour, r.item_no, r.book, r.label, r.tally, r.region
    FROM rating_sold AS s
    JOIN rating_routes AS r ON r.route_no = s.route_no
    WHERE s.card IS NULL
    UNION ALL
    SELECT account_key, hour, item_no, book, label, tally, region FROM rating_sold_bandwidth
    WHERE card IS NULL
), problems AS (
    SELECT DISTINCT
        u.account_key, u.hour,
        CASE
            WHEN u.tally IS NULL AND u.region = '?'
            THEN 'region ' || u.label || ' is in no billing region of price book ' || u.book
            WHEN u.tally IS NULL
            THEN 'price book ' || u.book || ' has no card of ' || i.item || ' for region ' || u.label
            ELSE 'price book ' || u.book || ' has no card of ' || i.item || ' in force for region '
                || u.label || ' at ' || strftime(u.hour, '%Y-%m-%dT%H:00Z')
        END AS problem,
        CASE
            WHEN u.tally IS NULL AND u.region = '?' THEN 'add the label to [regions] of the book'
            ELSE 'add a card to the price book; the hour is rated at the next run'
        END AS hint
    FROM unpriced AS u
    JOIN price_items AS i ON i.item_no = u.item_no
    UNION ALL
    SELECT DISTINCT
        i.account_key, i.hour,
        CASE
            WHEN NOT a.has_book THEN 'there is no price book ' || a.book
            WHEN NOT a.currency_fits
            THEN 'the account pays in ' || a.currency || ', price book ' || a.book || ' does not'
            ELSE 'the account has no known billing method'
        END,
        CASE
            WHEN NOT a.has_book THEN 'put the book into prices/ or give the account another'
            WHEN NOT a.currency_fits THEN 'give the account a price book in its currency'
            ELSE 'use data_transfer, peak_bandwidth or percentile95_bandwidth'
        END
    FROM rating_input AS i
    JOIN rating_accounts AS a ON a.account_key = i.account_key
    WHERE NOT a.has_book OR NOT a.currency_fits OR i.basic_item_no NOT IN (4, 5, 6)
    UNION ALL
    SELECT
        t.account_key, t.hour,
        CASE
            WHEN t.quantity IS NULL
            THEN l.item || ' of the month so far is too much for the prices that price book '
                || l.book || ' has now'
            ELSE t.quantity || CASE WHEN l.item_no <= 3 THEN ' requests' ELSE ' bytes' END || ' of '
                || l.item || ' are too many to be priced exactly by price book ' || l.book || ': '
                || t.hour_most || ' in one hour at most'
        END,
        'look for what produced them; if they are true, lower the price or write the item''s prices '
            || 'in one unit, and percentages with fewer decimals'
    FROM rating_too_large AS t
    JOIN price_tallies AS l ON l.tally = t.tally
)
SELECT account_key, hour, min(problem) AS problem, arg_min(hint, problem) AS hint
FROM problems
GROUP BY account_key, hour;

-- name: how_many_ordered
-- One row: whether anything at hand asks for an order, or all of it is plain.
SELECT
    EXISTS (FROM rating_sold WHERE NOT plain AND card IS NOT NULL)
    OR EXISTS (FROM rating_sold_bandwidth) OR EXISTS (FROM rating_fixed_term_moments) AS ordered;

-- name: nothing_ordered
-- Where all is plain: no plan pays, and no cost is there yet.
CREATE OR REPLACE TEMP TABLE rating_plan_parts (
    plan_id VARCHAR, account_key BIGINT, seq BIGINT, month BIGINT, hour TIMESTAMP, quantity HUGEINT
);
CREATE OR REPLACE TEMP TABLE rating_costs AS
SELECT
    0::BIGINT AS account_key, 0 AS tally, 0::BIGINT AS month, 0 AS card,
    TIMESTAMP '1970-01-01' AS period_start, TIMESTAMP '1970-01-01' AS period_end, '' AS term,
    rating_whole(0) AS quantity, rating_whole(0) AS free_quantity, rating_whole(0) AS plan_quantity,
    rating_whole(0) AS billable_quantity, rating_whole(0) AS amount, 0::HUGEINT AS numerator,
    rating_whole(0) AS place_from, 0 AS account_no, FALSE AS replayed, 0::BIGINT AS to_free,
    0::BIGINT AS to_plan, 0::BIGINT AS to_billable, 0::BIGINT AS to_amount, 0::BIGINT AS to_place_from,
    0::HUGEINT AS to_numerator
LIMIT 0;
DROP TABLE rating_input;

-- name: slices
-- One row per account × seq, the order: turn (late usage first), hour, month, price change, region
-- (DOMAIN §10.2, §10.12). kind: 0 usage, 1 bandwidth, 2 a moment of fixed terms, which comes after all usage of its
-- hour and card: a region may sort after its card's scope, and nothing may follow the moment that closes the month.
CREATE OR REPLACE TEMP TABLE rating_slices AS
WITH parts AS (
    SELECT account_key, tally, month, hour, turn, late, card, force_no, scope_no, 0 AS kind,
        FALSE AS opens, FALSE AS closes, 1::HUGEINT AS weight, period_start, period_end, quantity
    FROM rating_sold
    WHERE card IS NOT NULL AND NOT plain
    UNION ALL
    SELECT account_key, tally, month, hour, hour, FALSE, card, force_no, scope_no, 1,
        FALSE, FALSE, weight, starts_at, ends_at, quantity
    FROM rating_sold_bandwidth
    WHERE card IS NOT NULL
    UNION ALL
    SELECT account_key, tally, month, hour, hour, FALSE, card, force_no, scope_no, 2,
        opens, closes, 1, period_start, period_end, 0
    FROM rating_fixed_term_moments
), slices AS (
    SELECT
        p.account_key, p.tally, p.month, p.hour, p.turn, p.late, p.card, p.force_no, p.scope_no,
        p.kind, bool_or(p.opens) AS opens, bool_or(p.closes) AS closes,
        any_value(p.weight) AS weight, any_value(p.period_start) AS period_start,
        any_value(p.period_end) AS period_end, sum(p.quantity) AS quantity
    FROM parts AS p
    ANTI JOIN rating_held_now AS h ON h.account_key = p.account_key AND h.hour = p.hour
    GROUP BY ALL
)
SELECT
    * EXCLUDE (turn),
    row_number() OVER (
        PARTITION BY account_key
        ORDER BY turn, late DESC, hour, month, force_no, kind = 2, scope_no, kind, tally
    ) AS seq
FROM slices;
DROP TABLE rating_input;
