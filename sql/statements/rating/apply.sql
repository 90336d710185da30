-- Apply: a run's effects, as the journal holds them (the views effect_*), brought into rating's own tables.
-- From the effects alone, so that replaying the journal gives the same tables; billing.rating.appliers says which effect needs what.
-- Reads: effect_*, journal_state (the record being applied is the next one).

-- name: forget_replayed_months
-- The month-to-date of replayed accounts comes anew.
DELETE FROM month_sums AS s
USING effect_replayed AS r, month_accounts AS a, month_lanes AS l
WHERE a.account_id = r.account_id AND s.account_no = a.account_no AND s.lane_no = l.lane_no
    AND l.month >= r.from_month;

-- name: keep_replayed_months
-- One row per account × month × item × region × rate card, and a number for those that have none yet.
INSERT INTO month_accounts
SELECT
    (SELECT coalesce(max(account_no), 0) FROM month_accounts)
    + row_number() OVER (ORDER BY account_id),
    account_id
FROM (SELECT DISTINCT account_id FROM effect_month_state)
WHERE account_id NOT IN (SELECT account_id FROM month_accounts);
INSERT INTO month_lanes
SELECT
    (SELECT coalesce(max(lane_no), 0) FROM month_lanes)
    + row_number() OVER (ORDER BY month, item, region, rate_card),
    e.*
FROM (SELECT DISTINCT month, item, region, rate_card FROM effect_month_state) AS e
ANTI JOIN month_lanes USING (month, item, region, rate_card);
INSERT INTO month_sums BY NAME
SELECT a.account_no, l.lane_no, e.* EXCLUDE (account_id, month, item, region, rate_card, quantity)
FROM effect_month_state AS e
JOIN month_accounts AS a USING (account_id)
JOIN month_lanes AS l USING (month, item, region, rate_card);

-- name: charges_at_hand
-- One row per charge of new hours. account_no, lane_no: which month-to-date it moves, as the run that made it knew; a file has
-- neither, and a run has none for what was never charged before. Records of before terms were charged apart have no column term.
CREATE OR REPLACE TEMP VIEW charges_at_hand AS
FROM (
    FROM effect_charges
    UNION ALL BY NAME
    SELECT 'usage' AS term, NULL::INTEGER AS account_no, NULL::INTEGER AS lane_no WHERE FALSE
)
WHERE NOT replayed;

-- name: number_charged
-- A number for each account and lane that was never charged before.
INSERT INTO month_accounts
SELECT
    (SELECT coalesce(max(account_no), 0) FROM month_accounts)
    + row_number() OVER (ORDER BY account_id),
    account_id
FROM (
    SELECT DISTINCT c.account_id
    FROM charges_at_hand AS c
    ANTI JOIN month_accounts AS a ON a.account_id = c.account_id
    WHERE c.account_no IS NULL
);
INSERT INTO month_lanes
SELECT
    (SELECT coalesce(max(lane_no), 0) FROM month_lanes)
    + row_number() OVER (ORDER BY month, item, region, rate_card),
    e.*
FROM (
    SELECT DISTINCT month, item, region, rate_card FROM charges_at_hand WHERE lane_no IS NULL
) AS e
ANTI JOIN month_lanes USING (month, item, region, rate_card);

-- name: month_moves
-- One row per charge of new hours: which month-to-date it moves, and by how much; only what has no number is looked for by
-- its names. A view: it is read once.
CREATE OR REPLACE TEMP VIEW month_moves AS
SELECT
    account_no, lane_no, free_quantity::HUGEINT AS free_quantity,
    plan_quantity::HUGEINT AS plan_quantity, billable_quantity::HUGEINT AS billable_quantity,
    amount::HUGEINT AS amount, place_from::HUGEINT AS place_from,
    numerator::HUGEINT AS numerator, denominator::HUGEINT AS denominator,
    CASE term WHEN 'flat fee' THEN amount ELSE 0 END::HUGEINT AS flat_fee,
    CASE term WHEN 'maximum' THEN amount ELSE 0 END::HUGEINT AS maximum,
    CASE term WHEN 'minimum' THEN amount ELSE 0 END::HUGEINT AS minimum
FROM (
    FROM charges_at_hand
    WHERE account_no IS NOT NULL AND lane_no IS NOT NULL
    UNION ALL
    SELECT c.* REPLACE (a.account_no AS account_no, l.lane_no AS lane_no)
    FROM charges_at_hand AS c
    JOIN month_accounts AS a ON a.account_id = c.account_id
    JOIN month_lanes AS l
        ON l.month = c.month AND l.item = c.item AND l.region = c.region AND l.rate_card = c.rate_card
    WHERE c.account_no IS NULL OR c.lane_no IS NULL
);

-- name: moves_repeat
-- One row: whether several charges may move one row. Not in the usual hour, which has one of each.
SELECT count(DISTINCT period_start) > 1 OR coalesce(bool_or(term <> 'usage'), FALSE) AS repeats
FROM charges_at_hand;

-- name: add_moves_up
-- One row per row to be moved.
CREATE OR REPLACE TEMP TABLE month_moves_added AS
SELECT
    account_no, lane_no, sum(free_quantity)::HUGEINT AS free_quantity,
    sum(plan_quantity)::HUGEINT AS plan_quantity,
    sum(billable_quantity)::HUGEINT AS billable_quantity, sum(amount)::HUGEINT AS amount,
    min(place_from) AS place_from, sum(numerator)::HUGEINT AS numerator,
    any_value(denominator) AS denominator, sum(flat_fee)::HUGEINT AS flat_fee,
    sum(maximum)::HUGEINT AS maximum, sum(minimum)::HUGEINT AS minimum
FROM month_moves
GROUP BY account_no, lane_no;
CREATE OR REPLACE TEMP VIEW month_moves AS FROM month_moves_added;

-- name: move_months_on
-- Each month-to-date that moves: its row goes, and stands anew as the last. Changing rows where they stand would write each
-- of them to the log as well.
CREATE OR REPLACE TEMP TABLE months_moved AS
SELECT
    m.account_no, m.lane_no, coalesce(s.free_quantity, 0) + m.free_quantity AS free_quantity,
    coalesce(s.plan_quantity, 0) + m.plan_quantity AS plan_quantity,
    coalesce(s.billable_quantity, 0) + m.billable_quantity AS billable_quantity,
    coalesce(s.amount, 0) + m.amount AS amount, least(s.place_from, m.place_from) AS place_from,
    CASE
        WHEN s.numerator IS NULL THEN 0
        WHEN s.denominator = m.denominator THEN s.numerator
        ELSE s.numerator * (m.denominator // gcd(s.denominator, m.denominator))
            // (s.denominator // gcd(s.denominator, m.denominator))
    END + m.numerator AS numerator,
    m.denominator, coalesce(s.flat_fee, 0) + m.flat_fee AS flat_fee,
    coalesce(s.maximum, 0) + m.maximum AS maximum, coalesce(s.minimum, 0) + m.minimum AS minimum
FROM month_moves AS m
LEFT JOIN month_sums AS s ON s.account_no = m.account_no AND s.lane_no = m.lane_no;
DROP VIEW month_moves;
DROP VIEW charges_at_hand;
DROP TABLE IF EXISTS month_moves_added;
DELETE FROM month_sums AS s
USING months_moved AS m
WHERE s.account_no = m.account_no AND s.lane_no = m.lane_no;
INSERT INTO month_sums BY NAME FROM months_moved;
DROP TABLE months_moved;

-- name: keep_plan_use
-- One row per plan × month × hour that a plan paid; its sum per plan beside it.
INSERT INTO plan_use
SELECT e.plan_id, e.account_id, e.month, e.hour, e.quantity::HUGEINT, j.last_no + 1
FROM effect_plan_use AS e CROSS JOIN journal_state AS j;
MERGE INTO plan_state AS s
USING (
    SELECT plan_id, sum(quantity)::HUGEINT AS used FROM effect_plan_use GROUP BY plan_id
) AS u
ON s.plan_id = u.plan_id
WHEN MATCHED THEN UPDATE SET used = s.used + u.used
WHEN NOT MATCHED THEN INSERT (plan_id, used) VALUES (u.plan_id, u.used);

-- name: replace_held
-- One row per account × hour that stays unrated.
DELETE FROM rating_held;
INSERT INTO rating_held BY NAME SELECT * FROM effect_rating_held;

-- name: replace_price_versions
-- One row per rate card that has been seen, and whether it was used.
DELETE FROM price_versions;
INSERT INTO price_versions BY NAME SELECT * FROM effect_price_versions;

-- name: replace_price_cards
-- One row per rate card of the present books, for people and documents.
DELETE FROM price_cards;
INSERT INTO price_cards BY NAME SELECT * FROM effect_price_cards;

-- name: replace_price_labels
-- One row per book × region label of the present books.
DELETE FROM price_labels;
INSERT INTO price_labels BY NAME SELECT * FROM effect_price_labels;

-- name: replace_price_tiers
-- One row per rate card × tier of the present books.
DELETE FROM price_tiers;
INSERT INTO price_tiers BY NAME SELECT * FROM effect_price_tiers;

-- name: replace_price_periods
-- One row per rate card of the present books that is ever in force.
DELETE FROM price_periods;
INSERT INTO price_periods BY NAME SELECT * FROM effect_price_periods;

-- name: keep_mark
-- One row per run: how far rating has come.
INSERT INTO rating_marks
SELECT
    $run_id, $import_no::BIGINT, $through::TIMESTAMP, $origin::TIMESTAMP, $books_sha256,
    last_no + 1
FROM journal_state;
