-- Apply: a run's effects, as the journal holds them (the views effect_*), brought into rating's own tables.
-- From the effects alone, so that replaying the journal gives the same tables; billing.rating.appliers says which effect needs what.
-- Reads: effect_*, charges_at_hand (ledger/charges_at_hand), journal_state (the record being applied is the next one).

-- name: forget_replayed_months
-- The month-to-date of replayed accounts comes anew.
DELETE FROM month_sums AS s
USING effect_replayed AS r, month_accounts AS a, month_lanes AS l
WHERE a.account_id = r.account_id AND s.account_no = a.account_no AND s.lane_no = l.lane_no
    AND l.month >= r.from_month;
DELETE FROM month_sums_large AS s
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
CREATE OR REPLACE TEMP TABLE months_moved AS
SELECT
    a.account_no, l.lane_no, e.free_quantity::HUGEINT AS free_quantity,
    e.plan_quantity::HUGEINT AS plan_quantity, e.billable_quantity::HUGEINT AS billable_quantity,
    e.amount::HUGEINT AS amount, e.place_from::HUGEINT AS place_from,
    e.numerator::HUGEINT AS numerator, e.denominator::HUGEINT AS denominator,
    e.flat_fee::HUGEINT AS flat_fee, e.maximum::HUGEINT AS maximum, e.minimum::HUGEINT AS minimum
FROM effect_month_state AS e
JOIN month_accounts AS a USING (account_id)
JOIN month_lanes AS l USING (month, item, region, rate_card);

-- name: number_lanes
-- A number for each lane that was never charged before.
INSERT INTO month_lanes
SELECT
    (SELECT coalesce(max(lane_no), 0) FROM month_lanes)
    + row_number() OVER (ORDER BY month, item, region, rate_card),
    e.*
FROM (
    SELECT DISTINCT month, item, region, rate_card FROM charges_at_hand
    WHERE lane_no IS NULL AND NOT replayed
) AS e
ANTI JOIN month_lanes USING (month, item, region, rate_card);

-- name: put_known_months
-- Each month-to-date whose coming row the run knew: the row goes, and stands anew as the last. Changing rows where they stand
-- would write each of them to the log as well.
DELETE FROM month_sums AS s
USING (SELECT account_no, lane_no FROM charges_at_hand WHERE to_amount IS NOT NULL) AS c
WHERE s.account_no = c.account_no AND s.lane_no = c.lane_no;
INSERT INTO month_sums
SELECT
    account_no, lane_no, to_free, to_plan, to_billable, to_amount, to_place_from, to_numerator,
    denominator, 0, 0, 0
FROM charges_at_hand
WHERE to_amount IS NOT NULL;

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
    WHERE lane_no IS NOT NULL AND to_amount IS NULL AND NOT replayed
    UNION ALL
    SELECT c.* REPLACE (l.lane_no AS lane_no)
    FROM charges_at_hand AS c
    JOIN month_lanes AS l
        ON l.month = c.month AND l.item = c.item AND l.region = c.region AND l.rate_card = c.rate_card
    WHERE c.lane_no IS NULL AND NOT c.replayed
);

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
-- Each other month-to-date that moves, as it will be.
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
LEFT JOIN month_numbers AS s ON s.account_no = m.account_no AND s.lane_no = m.lane_no;
DROP VIEW month_moves;
DROP TABLE IF EXISTS month_moves_added;

-- name: put_months
-- The rows of before go, and those that come stand where their numbers fit.
DELETE FROM month_sums AS s
USING (SELECT account_no, lane_no FROM months_moved) AS m
WHERE s.account_no = m.account_no AND s.lane_no = m.lane_no;
DELETE FROM month_sums_large AS s
USING (SELECT account_no, lane_no FROM months_moved) AS m
WHERE s.account_no = m.account_no AND s.lane_no = m.lane_no;
CREATE OR REPLACE TEMP MACRO fits_64_bits(low, high) AS
    low >= -9223372036854775807 AND high <= 9223372036854775807;
INSERT INTO month_sums_large
FROM months_moved
WHERE NOT fits_64_bits(
    least(free_quantity, plan_quantity, billable_quantity, amount, place_from, flat_fee, maximum, minimum),
    greatest(free_quantity, plan_quantity, billable_quantity, amount, place_from, flat_fee, maximum, minimum)
);
INSERT INTO month_sums
FROM months_moved
WHERE fits_64_bits(
    least(free_quantity, plan_quantity, billable_quantity, amount, place_from, flat_fee, maximum, minimum),
    greatest(free_quantity, plan_quantity, billable_quantity, amount, place_from, flat_fee, maximum, minimum)
);
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
