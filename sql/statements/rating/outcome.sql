-- Outcome: what the run would change, as tables that the journal records; nothing lasting is written here.
-- Rating by subtraction: what a period should cost, minus what has been charged for it, is posted (DESIGN §3.7).
-- Reads: rating_should_cost, rating_plan_parts, rating_held_now, rating_accounts, rating_months, charges, plan_use, rating_held, price_*.

-- name: numbers
-- The number of a period's first charge of a term, one of its own for each. Of bandwidth a day (or month) and the hour in which it
-- begins have the same start: what is charged when the longer one ends has other numbers than what was charged as it began.
CREATE OR REPLACE TEMP MACRO first_revision(item, term, length) AS
    CASE term
        WHEN 'flat fee' THEN 1 WHEN 'maximum' THEN 2 WHEN 'minimum' THEN 3
        WHEN 'promotional credit' THEN 4 ELSE 0
    END + CASE
        WHEN item IN ('peak_bandwidth', 'percentile95_bandwidth')
            AND (length > INTERVAL 1 HOUR) <> (term = 'usage') THEN 5
        ELSE 0
    END;

-- name: new_charges
-- One row per account × item × region × month × period × rate card × term of new hours: first revisions, a fixed term
-- beside its hour's usage under a number and with a reason of its own. In order, account by account, for their file: whole
-- numbers are sorted, and names looked up afterwards.
CREATE OR REPLACE TEMP VIEW rating_new_charges AS
SELECT
    a.account_id, l.item, l.region, l.month, g.period_start, g.period_end, g.quantity,
    g.free_quantity, g.plan_quantity, g.billable_quantity, g.amount, a.currency, l.rate_card,
    first_revision(l.item, g.term, g.period_end - g.period_start) AS revision, g.term AS reason,
    g.numerator, l.denominator, g.place_from, FALSE AS replayed, g.term
FROM (
    FROM rating_costs
    WHERE NOT replayed AND (quantity <> 0 OR amount <> 0 OR numerator <> 0)
    ORDER BY account_no, account_key, tally, card, month, period_start, period_end, term
) AS g
JOIN rating_accounts AS a ON a.account_key = g.account_key
JOIN rating_lanes AS l ON l.month_number = g.month AND l.tally = g.tally AND l.card = g.card
UNION ALL
SELECT
    a.account_id, b.item, b.region, b.month, b.period_start, b.period_end, 0, 0, 0, 0,
    rating_whole(b.amount), a.currency, b.rate_card,
    first_revision(b.item, b.term, b.period_end - b.period_start), b.term, 0, 1, 0, FALSE, b.term
FROM (
    FROM rating_agreed
    WHERE amount <> 0
    ORDER BY account_key, item, region, month, period_start, rate_card
) AS b
JOIN rating_accounts AS a ON a.account_key = b.account_key
WHERE a.replay_from IS NULL;

-- name: new_charges_by_number
-- The same with the number of the account instead of its name, which few ask for: a join of all of them takes as long as all
-- that is asked of the rest. lane_no: which month-to-date a charge moves, NULL where it has none yet; to_*: what that comes to,
-- where it is known.
CREATE OR REPLACE TEMP VIEW rating_numbered_charges AS
SELECT
    g.account_no, l.item, l.region, l.month, g.period_start, g.period_end, g.quantity,
    g.free_quantity, g.plan_quantity, g.billable_quantity, g.amount, l.currency, l.rate_card,
    first_revision(l.item, g.term, g.period_end - g.period_start) AS revision,
    g.term AS reason, g.numerator, l.denominator, g.place_from, FALSE AS replayed, g.term, l.lane_no,
    g.to_free, g.to_plan, g.to_billable, g.to_amount, g.to_place_from, g.to_numerator
FROM rating_costs AS g
JOIN rating_lanes AS l ON l.month_number = g.month AND l.tally = g.tally AND l.card = g.card
WHERE NOT g.replayed AND (g.quantity <> 0 OR g.amount <> 0 OR g.numerator <> 0)
UNION ALL
SELECT
    a.account_no, b.item, b.region, b.month, b.period_start, b.period_end, 0, 0, 0, 0,
    rating_whole(b.amount), a.currency, b.rate_card,
    first_revision(b.item, b.term, b.period_end - b.period_start), b.term, 0, 1, 0, FALSE, b.term, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL
FROM rating_agreed AS b
JOIN rating_accounts AS a ON a.account_key = b.account_key
WHERE a.replay_from IS NULL AND b.amount <> 0;

-- name: revisions
-- The same by which a replayed past differs from what has been charged: numbered revisions with their reason, old
-- card and new card apart; new hours are first revisions.
CREATE OR REPLACE TEMP TABLE rating_revisions AS
SELECT
    * REPLACE (
        quantity::HUGEINT AS quantity, free_quantity::HUGEINT AS free_quantity,
        plan_quantity::HUGEINT AS plan_quantity, billable_quantity::HUGEINT AS billable_quantity,
        amount::HUGEINT AS amount
    )
FROM rating_new_charges
LIMIT 0;
INSERT INTO rating_revisions
WITH charged AS (
    SELECT
        c.account_id, c.item, c.region, c.month, c.period_start, c.rate_card, c.term,
        max(c.period_end) AS period_end, any_value(c.currency) AS currency,
        max(c.revision) AS revision, sum(c.quantity) AS quantity,
        sum(c.free_quantity) AS free_quantity, sum(c.plan_quantity) AS plan_quantity,
        sum(c.billable_quantity) AS billable_quantity, sum(c.amount) AS amount
    FROM charges AS c
    JOIN rating_accounts AS a ON a.account_id = c.account_id AND a.replay_from IS NOT NULL
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = c.month
    WHERE m.number >= a.replay_month AND c.month >= $first_month
    GROUP BY ALL
), latest AS (
    -- Where a longer period of the same start is still to end, its numbers stay free.
    SELECT
        account_id, item, region, month, period_start,
        CASE
            WHEN item IN ('peak_bandwidth', 'percentile95_bandwidth')
                AND max(period_end) - period_start <= INTERVAL 1 HOUR
            THEN greatest(max(revision), 9)
            ELSE max(revision)
        END AS revision
    FROM charged
    GROUP BY account_id, item, region, month, period_start
), should_cost AS (
    SELECT
        account_id, item, region, month, period_start, max(period_end) AS period_end,
        any_value(currency) AS currency, rate_card, term, sum(quantity) AS quantity,
        sum(free_quantity) AS free_quantity, sum(plan_quantity) AS plan_quantity,
        sum(billable_quantity) AS billable_quantity, sum(amount) AS amount
    FROM rating_should_cost
    WHERE replayed
    GROUP BY account_id, item, region, month, period_start, rate_card, term
), differences AS (
    SELECT
        coalesce(t.account_id, c.account_id) AS account_id, coalesce(t.item, c.item) AS item,
        coalesce(t.region, c.region) AS region, coalesce(t.month, c.month) AS month,
        coalesce(t.period_start, c.period_start) AS period_start,
        coalesce(t.period_end, c.period_end) AS period_end,
        coalesce(t.quantity, 0) - coalesce(c.quantity, 0) AS quantity,
        coalesce(t.free_quantity, 0) - coalesce(c.free_quantity, 0) AS free_quantity,
        coalesce(t.plan_quantity, 0) - coalesce(c.plan_quantity, 0) AS plan_quantity,
        coalesce(t.billable_quantity, 0) - coalesce(c.billable_quantity, 0) AS billable_quantity,
        coalesce(t.amount, 0) - coalesce(c.amount, 0) AS amount,
        coalesce(t.currency, c.currency) AS currency,
        coalesce(t.rate_card, c.rate_card) AS rate_card, coalesce(t.term, c.term) AS term
    FROM should_cost AS t
    FULL JOIN charged AS c
        ON c.account_id = t.account_id AND c.item = t.item AND c.region = t.region
        AND c.month = t.month AND c.period_start = t.period_start AND c.rate_card = t.rate_card
        AND c.term = t.term
)
SELECT
    d.account_id, d.item, d.region, d.month, d.period_start, d.period_end, d.quantity,
    d.free_quantity, d.plan_quantity, d.billable_quantity, d.amount, d.currency, d.rate_card,
    coalesce(
        l.revision + row_number() OVER (
            PARTITION BY d.account_id, d.item, d.region, d.month, d.period_start
            ORDER BY d.rate_card, d.term = 'usage' DESC, d.term
        ),
        first_revision(d.item, d.term, d.period_end - d.period_start)
    ),
    CASE
        WHEN l.revision IS NULL AND d.period_start >= $last_through THEN d.term
        WHEN d.term = 'usage' THEN a.reason
        ELSE d.term || ', ' || a.reason
    END,
    0, 1, 0, TRUE, d.term
FROM differences AS d
JOIN rating_accounts AS a ON a.account_id = d.account_id
LEFT JOIN latest AS l
    ON l.account_id = d.account_id AND l.item = d.item AND l.region = d.region
    AND l.month = d.month AND l.period_start = d.period_start
WHERE d.quantity <> 0 OR d.free_quantity <> 0 OR d.plan_quantity <> 0 OR d.amount <> 0;

-- name: replayed_months
-- One row per replayed account and its first month; one row per account × month × item × region × rate card that
-- replaces what is kept of these months.
CREATE OR REPLACE TEMP TABLE rating_out_replayed AS
SELECT a.account_id, m.month AS from_month, a.reason
FROM rating_accounts AS a
JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = a.replay_month
WHERE a.replay_from IS NOT NULL;
CREATE OR REPLACE TEMP TABLE rating_out_month_state AS
SELECT
    account_id, month, item, region, rate_card, sum(quantity) AS quantity,
    sum(free_quantity) AS free_quantity, sum(plan_quantity) AS plan_quantity,
    sum(billable_quantity) AS billable_quantity, sum(amount) AS amount,
    min(place_from) AS place_from, sum(numerator) AS numerator,
    any_value(denominator) AS denominator,
    coalesce(sum(amount) FILTER (term = 'flat fee'), 0) AS flat_fee,
    coalesce(sum(amount) FILTER (term = 'maximum'), 0) AS maximum,
    coalesce(sum(amount) FILTER (term = 'minimum'), 0) AS minimum
FROM rating_should_cost
WHERE replayed AND (quantity <> 0 OR amount <> 0 OR numerator <> 0)
GROUP BY account_id, month, item, region, rate_card;

-- name: all_charges
-- First revisions and revisions, with names and by number. Views: the rows stand once.
CREATE OR REPLACE TEMP VIEW rating_out_charges AS
FROM rating_new_charges
UNION ALL
(
    FROM rating_revisions
    ORDER BY account_id, item, region, month, period_start, rate_card, revision
);
CREATE OR REPLACE TEMP VIEW rating_out_numbered AS
FROM rating_numbered_charges
UNION ALL BY NAME
SELECT r.* EXCLUDE (account_id), a.account_no
FROM rating_revisions AS r
JOIN rating_accounts AS a ON a.account_id = r.account_id;

-- name: no_revisions
-- The same where no past is replayed.
CREATE OR REPLACE TEMP VIEW rating_out_charges AS FROM rating_new_charges;
CREATE OR REPLACE TEMP VIEW rating_out_numbered AS FROM rating_numbered_charges;

-- name: without_number
-- One row: how many accounts have no number, in a world whose accounts no load has brought.
SELECT count(*) AS accounts FROM rating_accounts WHERE account_no IS NULL;

-- name: plan_use
-- One row per plan × month × hour: what the plan paid; for replayed accounts the difference to what it had paid.
CREATE OR REPLACE TEMP TABLE rating_out_plan_use AS
WITH paid AS (
    SELECT q.plan_id, a.account_id, m.month, q.hour, q.quantity
    FROM rating_plan_parts AS q
    JOIN rating_accounts AS a ON a.account_key = q.account_key
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = q.month
    UNION ALL
    SELECT u.plan_id, u.account_id, u.month, u.hour, -u.quantity
    FROM plan_use AS u
    JOIN rating_accounts AS a ON a.account_id = u.account_id AND a.replay_from IS NOT NULL
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = u.month
    WHERE m.number >= a.replay_month
)
SELECT plan_id, account_id, month, hour, sum(quantity) AS quantity
FROM paid
GROUP BY plan_id, account_id, month, hour
HAVING sum(quantity) <> 0;

-- name: held
-- One row per account × hour that stays unrated after this run, old and new.
CREATE OR REPLACE TEMP TABLE rating_out_held AS
SELECT a.account_id, n.hour, n.problem, n.hint
FROM rating_held_now AS n JOIN rating_accounts AS a ON a.account_key = n.account_key
UNION ALL
SELECT h.account_id, h.hour, h.problem, h.hint
FROM rating_held AS h
JOIN rating_accounts AS a ON a.account_id = h.account_id
WHERE a.replay_from IS NULL OR h.hour < a.replay_from;

-- name: price_versions
-- One row per rate card seen so far and whether a charge has used it.
CREATE OR REPLACE TEMP TABLE rating_out_price_versions AS
SELECT
    g.card_id, g.book, g.fingerprint, g.effective_from, g.effective_until,
    coalesce(v.used, FALSE)
        OR g.card_id IN (SELECT DISTINCT rate_card FROM rating_out_numbered) AS used
FROM given_versions AS g
LEFT JOIN price_versions AS v ON v.card_id = g.card_id;

-- name: changed
-- One row: which of the effects that replace a table's content would change it.
SELECT
    (SELECT count(*) > 0 FROM rating_out_plan_use) AS plan_use,
    EXISTS (
        (FROM rating_held EXCEPT FROM rating_out_held)
        UNION ALL (FROM rating_out_held EXCEPT FROM rating_held)
    ) AS rating_held,
    EXISTS (
        (FROM price_versions EXCEPT FROM rating_out_price_versions)
        UNION ALL (FROM rating_out_price_versions EXCEPT FROM price_versions)
    ) AS price_versions,
    EXISTS (
        (FROM price_cards EXCEPT FROM rating_out_price_cards)
        UNION ALL (FROM rating_out_price_cards EXCEPT FROM price_cards)
    ) AS price_cards,
    EXISTS (
        (FROM price_labels EXCEPT FROM rating_out_price_labels)
        UNION ALL (FROM rating_out_price_labels EXCEPT FROM price_labels)
    ) AS price_labels,
    EXISTS (
        (FROM price_tiers EXCEPT FROM rating_out_price_tiers)
        UNION ALL (FROM rating_out_price_tiers EXCEPT FROM price_tiers)
    ) AS price_tiers,
    EXISTS (
        (FROM price_periods EXCEPT FROM rating_out_price_periods)
        UNION ALL (FROM rating_out_price_periods EXCEPT FROM price_periods)
    ) AS price_periods;

-- name: held_to_tell
-- One row per account × hour unrated after this run, the oldest first, at most $most; and how many there are.
SELECT account_id, hour, problem, hint, count(*) OVER () AS held
FROM rating_out_held
ORDER BY hour, account_id
LIMIT $most;

-- name: run_totals
-- One row per currency: what this run charges in all, in how many charges.
SELECT currency, sum(amount)::DECIMAL(38, 0) AS amount, count(*) AS charges
FROM rating_out_numbered
GROUP BY currency
ORDER BY currency;
