-- Quotas and plans: what is paid by the month's free quota, then by prepaid plans; money pays the rest.
-- Among plans the one that ends soonest pays first (DOMAIN §2.4, §10.3); what pays for what is billing.rating.plan_kinds.
-- Reads: rating_slices, rating_months_so_far, rating_accounts, rating_months, given_offsets, price_*, plans, plan_state, plan_use.

-- name: free_work
-- One row per slice that a free quota may pay, with the quota of its card. A segment is a part of the month with
-- one quota; after a change the new quota counts what is already used (DOMAIN §10.6).
CREATE OR REPLACE TEMP TABLE rating_free_work AS
WITH slices AS (
    SELECT s.account_key, s.tally, s.month, s.seq, s.quantity, t.free_quantity AS quota
    FROM rating_slices AS s
    JOIN price_tallies AS l ON l.tally = s.tally AND l.has_free
    JOIN price_terms AS t ON t.card = s.card
    WHERE s.kind = 0
), marked AS (
    SELECT
        *,
        CASE WHEN quota IS DISTINCT FROM lag(quota) OVER (
            PARTITION BY account_key, tally, month ORDER BY seq
        ) THEN 1 ELSE 0 END AS begins
    FROM slices
), numbered AS (
    SELECT
        *, sum(begins) OVER (PARTITION BY account_key, tally, month ORDER BY seq) AS segment
    FROM marked
)
SELECT
    n.account_key, n.tally, n.month, n.seq, n.quantity, n.quota, n.segment,
    sum(n.quantity) OVER (
        PARTITION BY n.account_key, n.tally, n.month, n.segment ORDER BY n.seq
    ) AS running,
    coalesce(s.free_quantity, 0)::HUGEINT AS used
FROM numbered AS n
LEFT JOIN rating_months_so_far AS s
    ON s.account_key = n.account_key AND s.tally = n.tally AND s.month = n.month;

-- name: free_segments
-- One row: how many segments the month with most of them has.
SELECT coalesce(max(segment), 0)::BIGINT AS segments FROM rating_free_work;

-- name: free_next_segment
-- What segment $segment uses of the quota is used when the segments after it begin.
CREATE OR REPLACE TEMP TABLE rating_free_work AS
WITH moved AS (
    SELECT
        account_key, tally, month, max(greatest(used, least(used + running, quota))) AS used
    FROM rating_free_work
    WHERE segment = $segment
    GROUP BY account_key, tally, month
)
SELECT
    w.* REPLACE (
        CASE WHEN w.segment > $segment THEN coalesce(m.used, w.used) ELSE w.used END AS used
    )
FROM rating_free_work AS w
LEFT JOIN moved AS m
    ON m.account_key = w.account_key AND m.tally = w.tally AND m.month = w.month;

-- name: free_parts
-- One row per slice of which the free quota pays something: usage is free up to the quota.
CREATE OR REPLACE TEMP TABLE rating_free_parts AS
SELECT
    account_key, seq,
    greatest(used, least(used + running, quota))
        - greatest(used, least(used + running - quantity, quota)) AS quantity
FROM rating_free_work
WHERE quota > used;

-- name: plans_at_hand
-- One row per plan of an account that is rated now: its rank and what is left of it before the first hour rated. A
-- plan bought inside an hour covers that hour. A replayed account's own use from its replay on is given back first.
CREATE OR REPLACE TEMP TABLE rating_plans AS
WITH given_back AS (
    SELECT u.plan_id, sum(u.quantity) AS quantity
    FROM plan_use AS u
    JOIN rating_accounts AS a ON a.account_id = u.account_id AND a.replay_from IS NOT NULL
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = u.month
    WHERE m.number >= a.replay_month
    GROUP BY u.plan_id
), at_hand AS (
    SELECT
        p.plan_id, a.account_key, p.kind, p.region, p.starts_at, p.ends_at,
        date_trunc('hour', p.starts_at) AS covers_from,
        p.quantity::HUGEINT - coalesce(s.used, 0) + coalesce(g.quantity, 0) AS remaining
    FROM plans AS p
    JOIN rating_accounts AS a ON a.account_id = p.account_id
    LEFT JOIN plan_state AS s ON s.plan_id = p.plan_id
    LEFT JOIN given_back AS g ON g.plan_id = p.plan_id
    WHERE date_trunc('hour', p.starts_at) < $through AND p.ends_at > $since
)
SELECT
    *, row_number() OVER (
        PARTITION BY account_key, kind ORDER BY ends_at, starts_at, plan_id
    ) AS rank
FROM at_hand
WHERE remaining > 0;

-- name: plan_buyers
-- One row per account × item that its plans may pay.
CREATE OR REPLACE TEMP TABLE rating_plan_buyers AS
SELECT DISTINCT p.account_key, i.item_no
FROM rating_plans AS p
JOIN given_offsets AS o ON o.plan_kind = p.kind
JOIN price_items AS i ON i.item = o.item;

-- name: plan_work
-- One row per slice and kind of plan that may pay it, after the free quota; and where the parts of groups go.
CREATE OR REPLACE TEMP TABLE rating_plan_work AS
WITH buyers AS (
    SELECT DISTINCT account_key, kind FROM rating_plans
)
SELECT
    s.account_key, o.plan_kind, s.seq, s.hour, s.month, p.scope AS region,
    (s.quantity - coalesce(f.quantity, 0))::HUGEINT AS remaining
FROM rating_slices AS s
JOIN price_tallies AS l ON l.tally = s.tally
JOIN given_offsets AS o ON o.item = l.item
JOIN buyers AS b ON b.account_key = s.account_key AND b.kind = o.plan_kind
JOIN price_scopes AS p ON p.scope_no = s.scope_no
LEFT JOIN rating_free_parts AS f ON f.account_key = s.account_key AND f.seq = s.seq
WHERE s.kind = 0 AND s.quantity - coalesce(f.quantity, 0) > 0;
CREATE OR REPLACE TEMP TABLE rating_group_parts (
    account_key BIGINT, kind VARCHAR, group_no BIGINT, seq BIGINT, month BIGINT, hour TIMESTAMP,
    part_from HUGEINT, part_until HUGEINT
);

-- name: plan_groups
-- Plans that follow one another and cover the same slices pay as one group: one plan or ten thousand cost the same
-- number of rounds. An account with more groups than slices goes slice by slice instead, which is the same: each
-- slice takes from its plans in their order. One row per plan with its reach in its group, one per group, one per
-- plan and one per slice of accounts that go by slice.
CREATE OR REPLACE TEMP TABLE rating_grouped_plans AS
WITH work AS (
    SELECT
        account_key, plan_kind AS kind, min(hour) AS first_hour, max(hour) AS last_hour,
        count(*) AS slices, list_sort(list(DISTINCT region)) AS regions
    FROM rating_plan_work
    GROUP BY ALL
), covering AS (
    SELECT
        p.plan_id, p.account_key, p.kind, p.rank, p.remaining, w.slices,
        greatest(p.covers_from, w.first_hour) AS covers_from,
        least(p.ends_at, w.last_hour + INTERVAL 1 HOUR) AS covers_until,
        CASE
            WHEN p.kind = 'https_requests' OR p.region = 'all' THEN w.regions
            WHEN p.region = 'OverSeas'
            THEN list_filter(w.regions, lambda region: region NOT IN ('CN', '?'))
            ELSE list_filter(w.regions, lambda region: region = p.region)
        END AS regions
    FROM rating_plans AS p
    JOIN work AS w ON w.account_key = p.account_key AND w.kind = p.kind
), marked AS (
    SELECT
        *,
        CASE WHEN (covers_from, covers_until, regions)
            IS DISTINCT FROM lag((covers_from, covers_until, regions)) OVER (
                PARTITION BY account_key, kind ORDER BY rank
            ) THEN 1 ELSE 0 END AS begins
    FROM covering
    WHERE covers_from < covers_until AND len(regions) > 0
), grouped AS (
    SELECT
        *,
        sum(begins) OVER (PARTITION BY account_key, kind ORDER BY rank)::BIGINT AS group_no,
        sum(begins) OVER (PARTITION BY account_key, kind) > slices AS by_slice
    FROM marked
)
SELECT
    plan_id, account_key, kind, rank, group_no, by_slice, covers_from, covers_until, regions,
    remaining,
    sum(remaining) OVER (PARTITION BY account_key, kind, group_no ORDER BY rank) AS running
FROM grouped;
CREATE OR REPLACE TEMP TABLE rating_plan_groups AS
SELECT
    account_key, kind, group_no, any_value(covers_from) AS covers_from,
    any_value(covers_until) AS covers_until, any_value(regions) AS regions,
    sum(remaining) AS capacity
FROM rating_grouped_plans
WHERE NOT by_slice
GROUP BY account_key, kind, group_no;
CREATE OR REPLACE TEMP TABLE rating_slice_plans AS
SELECT plan_id, account_key, kind, rank, covers_from, covers_until, regions, remaining
FROM rating_grouped_plans
WHERE by_slice;
CREATE OR REPLACE TEMP TABLE rating_slice_turns AS
SELECT
    w.*, row_number() OVER (PARTITION BY w.account_key, w.plan_kind ORDER BY w.seq) AS turn
FROM rating_plan_work AS w
SEMI JOIN rating_slice_plans AS p ON p.account_key = w.account_key AND p.kind = w.plan_kind;

-- name: next_group
-- One row: the next group of any account that still finds something to pay, NULL when none does.
SELECT min(g.group_no) AS group_no
FROM rating_plan_groups AS g
JOIN rating_plan_work AS w
    ON w.account_key = g.account_key AND w.plan_kind = g.kind AND w.hour >= g.covers_from
    AND w.hour < g.covers_until AND list_contains(g.regions, w.region)
WHERE g.group_no > $done AND w.remaining > 0;

-- name: pay_group
-- What every account's n-th group pays: each slice in its validity and scope, in order, until it is used up. Groups
-- before it have had their part, which makes this the same as going hour by hour.
INSERT INTO rating_group_parts
WITH demand AS (
    SELECT
        g.account_key, g.kind, g.group_no, w.seq, w.month, w.hour, w.remaining, g.capacity,
        sum(w.remaining) OVER (PARTITION BY g.account_key, g.kind ORDER BY w.seq) AS running
    FROM rating_plan_work AS w
    JOIN rating_plan_groups AS g
        ON g.account_key = w.account_key AND g.kind = w.plan_kind AND g.group_no = $group
        AND w.hour >= g.covers_from AND w.hour < g.covers_until
        AND list_contains(g.regions, w.region)
    WHERE w.remaining > 0
)
SELECT
    account_key, kind, group_no, seq, month, hour, running - remaining, least(running, capacity)
FROM demand
WHERE running - remaining < capacity;

-- name: left_after_group
-- What the groups after it find still to be paid.
UPDATE rating_plan_work AS w
SET remaining = w.remaining - (p.part_until - p.part_from)
FROM rating_group_parts AS p
WHERE p.group_no = $group AND p.account_key = w.account_key AND p.kind = w.plan_kind
    AND p.seq = w.seq;

-- name: plan_parts
-- One row per plan × slice: what the plan pays of it, its share of what its group pays.
CREATE OR REPLACE TEMP TABLE rating_plan_parts AS
SELECT
    p.plan_id, p.account_key, g.seq, g.month, g.hour,
    least(p.running, g.part_until) - greatest(p.running - p.remaining, g.part_from) AS quantity
FROM rating_group_parts AS g
JOIN rating_grouped_plans AS p
    ON p.account_key = g.account_key AND p.kind = g.kind AND p.group_no = g.group_no
    AND p.running > g.part_from AND p.running - p.remaining < g.part_until;

-- name: slice_turns
-- One row: how many slices the account with most of them has, of those that go by slice.
SELECT coalesce(max(turn), 0)::BIGINT AS turns FROM rating_slice_turns;

-- name: pay_slice
-- What the plans of every account pay of its n-th slice, in their order, each until it is used up.
INSERT INTO rating_plan_parts
WITH offered AS (
    SELECT
        p.plan_id, w.account_key, w.seq, w.month, w.hour, w.remaining AS wanted, p.remaining,
        sum(p.remaining) OVER (PARTITION BY p.account_key, p.kind ORDER BY p.rank) AS running
    FROM rating_slice_turns AS w
    JOIN rating_slice_plans AS p
        ON p.account_key = w.account_key AND p.kind = w.plan_kind AND p.remaining > 0
        AND w.hour >= p.covers_from AND w.hour < p.covers_until
        AND list_contains(p.regions, w.region)
    WHERE w.turn = $turn
)
SELECT
    plan_id, account_key, seq, month, hour,
    least(remaining, wanted - (running - remaining)) AS quantity
FROM offered
WHERE running - remaining < wanted;

-- name: left_after_slice
-- What the slices after it find left of the plans.
UPDATE rating_slice_plans AS p
SET remaining = p.remaining - q.quantity
FROM rating_plan_parts AS q
JOIN rating_slice_turns AS w ON w.account_key = q.account_key AND w.seq = q.seq
WHERE w.turn = $turn AND q.plan_id = p.plan_id AND w.plan_kind = p.kind;
