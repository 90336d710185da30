-- Credits: what promotional credit pays of what the hours at hand cost, and gets back (docs/decisions/2251).
-- Run by billing/rating/agreements.py for all accounts at once: running sums in the order of time, one turn per credit, the first to
-- pay first. Only a cost below zero (a falling price, a cap) parts the time: what it gives back may pay from then on.
-- Reads: rating_parties, rating_should_cost, rating_agreed, agreements, month_state.

-- name: credits
-- One row per credit that may pay now, or has paid in a month at hand: of those that are used up or over nobody asks. turn: its
-- place among the credits of its account. available: what is left of it; what it paid in months that are replayed is none.
CREATE OR REPLACE TEMP TABLE rating_credits AS
WITH paid AS (
    SELECT
        t.account_id, t.rate_card[8:] AS agreement_id,
        sum(t.amount) FILTER (s.replay_month IS NULL OR t.month < s.replay_month) AS amount,
        max(t.month) AS last_month
    FROM month_state AS t
    JOIN rating_parties AS s ON s.account_id = t.account_id
    WHERE t.rate_card LIKE 'credit/%'
    GROUP BY ALL
), known AS (
    SELECT
        s.account_key, g.*, (g.amount + coalesce(p.amount, 0))::HUGEINT AS available,
        s.replay_from IS NOT NULL OR coalesce(p.last_month >= h.first_month, FALSE) AS may_move
    FROM agreements AS g
    JOIN rating_parties AS s ON s.account_id = g.account_id
    LEFT JOIN paid AS p ON p.account_id = g.account_id AND p.agreement_id = g.agreement_id
    CROSS JOIN (SELECT coalesce(min(month), '9999-99') AS first_month FROM rating_should_cost) AS h
    WHERE g.kind = 'credit'
)
SELECT
    account_key, account_id, agreement_id, date_trunc('hour', starts_at) AS first_hour, ends_at,
    string_split(nullif(items, ''), ',') AS items, string_split(nullif(regions, ''), ',') AS regions, available,
    row_number() OVER (
        PARTITION BY account_key ORDER BY priority, ends_at, starts_at, agreement_id
    ) AS turn
FROM known
WHERE may_move OR (available > 0 AND ends_at > $last_through);

-- name: scopes
-- One row per credit × item × region at hand that it names. No items: all usage; no regions: all.
CREATE OR REPLACE TEMP TABLE rating_credit_scopes AS
WITH lanes AS (
    SELECT DISTINCT account_key, item, region FROM rating_should_cost
)
SELECT g.account_key, g.turn, g.first_hour, g.ends_at, g.available, l.item, l.region
FROM rating_credits AS g
JOIN lanes AS l
    ON l.account_key = g.account_key
    AND coalesce(list_contains(g.items, l.item), l.item <> 'plan')
    AND coalesce(
        list_contains(g.regions, l.region)
        OR (list_contains(g.regions, 'OverSeas') AND l.region NOT IN ('CN', 'all')),
        TRUE
    );

-- name: credited_costs
-- One row per account × hour × month × item × region that is charged or taken back something at hand and that a credit names.
-- place: the order in which it is paid; a longer period falls due in its last hour. lane: what accumulates together. segment: how
-- many costs below zero have come by then. owed: what the lane has cost by then, less what credit had paid before these hours.
CREATE OR REPLACE TEMP TABLE rating_credit_costs AS
WITH costs AS (
    SELECT
        c.account_key, c.account_id, c.month, c.item, c.region, min(c.period_start) AS period_start,
        max(c.period_end) AS period_end, date_trunc('hour', c.period_end - INTERVAL 5 MINUTE) AS hour,
        sum(c.amount)::HUGEINT AS amount
    FROM rating_should_cost AS c
    SEMI JOIN rating_credit_scopes AS g
        ON g.account_key = c.account_key AND g.item = c.item AND g.region = c.region
    GROUP BY c.account_key, c.account_id, hour, c.month, c.item, c.region
    HAVING sum(c.amount) <> 0
), before AS (
    SELECT t.account_id, t.month, t.item, t.region, sum(t.amount) AS amount
    FROM month_state AS t
    JOIN rating_parties AS s ON s.account_id = t.account_id AND s.replay_from IS NULL
    WHERE t.account_id IN (SELECT account_id FROM costs WHERE amount < 0)
    GROUP BY ALL
)
SELECT
    c.*, row_number() OVER steps AS place, count(*) FILTER (c.amount < 0) OVER steps AS segment,
    dense_rank() OVER (PARTITION BY c.account_key ORDER BY c.month, c.item, c.region) AS lane,
    (coalesce(b.amount, 0) + sum(c.amount) OVER (
        PARTITION BY c.account_key, c.month, c.item, c.region ORDER BY c.hour
    ))::HUGEINT AS owed
FROM costs AS c
LEFT JOIN before AS b
    ON b.account_id = c.account_id AND b.month = c.month AND b.item = c.item AND b.region = c.region
WINDOW steps AS (PARTITION BY c.account_key ORDER BY c.hour, c.month, c.item, c.region);

-- name: work
-- One row: how many turns and segments there are; NULL where nothing is to be paid.
SELECT
    (SELECT max(g.turn) FROM rating_credits AS g SEMI JOIN rating_credit_costs AS c ON c.account_key = g.account_key) AS turns,
    (SELECT max(segment) FROM rating_credit_costs) AS segments;

-- name: nothing_moved
-- One row per cost × credit that pays of it (amount above zero) or gets back by it (below). paid_before: one row per lane × credit
-- of accounts that only add, for lanes that may give back: what it had paid of it before these hours.
CREATE OR REPLACE TEMP TABLE rating_credit_moves (
    account_key BIGINT, place BIGINT, lane BIGINT, turn BIGINT, amount HUGEINT
);
CREATE OR REPLACE TEMP TABLE rating_credit_paid_before AS
SELECT c.account_key, c.lane, g.turn, sum(-t.amount)::HUGEINT AS amount
FROM (
    SELECT DISTINCT account_key, account_id, lane, month, item, region FROM rating_credit_costs WHERE amount < 0
) AS c
JOIN rating_parties AS s ON s.account_key = c.account_key AND s.replay_from IS NULL
JOIN rating_credits AS g ON g.account_key = c.account_key
JOIN month_state AS t
    ON t.account_id = c.account_id AND t.month = c.month AND t.item = c.item AND t.region = c.region
    AND t.rate_card = 'credit/' || g.agreement_id
GROUP BY ALL;

-- name: give_back
-- The cost below zero that begins the segment: where more was paid than is owed, the last to pay gets back first.
INSERT INTO rating_credit_moves
WITH paid AS (
    SELECT account_key, lane, turn, sum(amount) AS amount
    FROM (
        SELECT account_key, lane, turn, amount FROM rating_credit_moves
        UNION ALL
        FROM rating_credit_paid_before
    )
    GROUP BY ALL
), moved AS (
    SELECT account_key, lane, sum(amount) AS amount FROM rating_credit_moves GROUP BY ALL
), backwards AS (
    SELECT
        c.account_key, c.place, c.lane, p.turn, p.amount, coalesce(m.amount, 0) - c.owed AS too_much,
        sum(p.amount) OVER (PARTITION BY c.account_key ORDER BY p.turn DESC) AS until
    FROM rating_credit_costs AS c
    JOIN paid AS p ON p.account_key = c.account_key AND p.lane = c.lane
    LEFT JOIN moved AS m ON m.account_key = c.account_key AND m.lane = c.lane
    WHERE c.segment = $segment AND c.amount < 0
), parts AS (
    SELECT
        account_key, place, lane, turn,
        greatest(0, least(until, too_much)) - greatest(0, least(until - amount, too_much)) AS amount
    FROM backwards
)
SELECT account_key, place, lane, turn, -amount
FROM parts
WHERE amount <> 0;

-- name: payable
-- One row per cost above zero of the segment: what may be paid of it, no more than is owed.
CREATE OR REPLACE TEMP TABLE rating_credit_payable AS
WITH moved AS (
    SELECT account_key, lane, sum(amount) AS amount FROM rating_credit_moves GROUP BY ALL
)
SELECT
    c.account_key, c.place, c.lane, c.item, c.region, c.hour,
    least(c.amount, c.owed - coalesce(m.amount, 0))::HUGEINT AS amount
FROM rating_credit_costs AS c
LEFT JOIN moved AS m ON m.account_key = c.account_key AND m.lane = c.lane
WHERE c.segment = $segment AND c.amount > 0 AND c.owed > coalesce(m.amount, 0);

-- name: pay
-- What the credits of this turn pay, in the order of time: of what those before them left, until they are used up.
INSERT INTO rating_credit_moves
WITH paid AS (
    SELECT account_key, place, sum(amount) AS amount
    FROM rating_credit_moves
    WHERE turn < $turn
    GROUP BY ALL
), used AS (
    SELECT account_key, sum(amount) AS amount FROM rating_credit_moves WHERE turn = $turn GROUP BY ALL
), unpaid AS (
    SELECT
        y.account_key, y.place, y.lane, y.amount - coalesce(p.amount, 0) AS amount,
        greatest(0, g.available - coalesce(u.amount, 0)) AS available
    FROM rating_credit_scopes AS g
    JOIN rating_credit_payable AS y
        ON y.account_key = g.account_key AND y.item = g.item AND y.region = g.region
        AND y.hour >= g.first_hour AND y.hour < g.ends_at
    LEFT JOIN paid AS p ON p.account_key = y.account_key AND p.place = y.place
    LEFT JOIN used AS u ON u.account_key = g.account_key
    WHERE g.turn = $turn
), forwards AS (
    SELECT *, sum(amount) OVER (PARTITION BY account_key ORDER BY place) AS until FROM unpaid
)
SELECT account_key, place, lane, $turn, least(until, available) - least(until - amount, available)
FROM forwards
WHERE least(until, available) > least(until - amount, available);

-- name: rows
-- One row per period × credit that pays in it, or takes back what it had paid.
INSERT INTO rating_agreed
SELECT
    c.account_key, c.item, c.region, c.month, c.period_start, c.period_end, 'credit/' || g.agreement_id,
    'promotional credit', -m.amount
FROM rating_credit_moves AS m
JOIN rating_credit_costs AS c ON c.account_key = m.account_key AND c.place = m.place
JOIN rating_credits AS g ON g.account_key = m.account_key AND g.turn = m.turn;
