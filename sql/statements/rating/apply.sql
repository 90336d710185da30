-- Apply: a run's effects, as the journal holds them (the views effect_*), brought into rating's own tables.
-- From the effects alone, so that replaying the journal gives the same tables; billing.rating.appliers says which effect needs what.
-- Reads: effect_*, journal_state (the record being applied is the next one).

-- name: forget_replayed_months
-- The month-to-date of replayed accounts comes anew.
DELETE FROM month_state AS s
USING effect_replayed AS r
WHERE s.account_id = r.account_id AND s.month >= r.from_month;

-- name: keep_replayed_months
-- One row per account × month × item × region × rate card.
INSERT INTO month_state BY NAME SELECT * FROM effect_month_state;

-- name: move_months_on
-- The charges of new hours move each month-to-date. A table of its own: inside the MERGE the same query costs three
-- times as much.
CREATE OR REPLACE TEMP TABLE month_moves AS
SELECT
    account_id, month, item, region, rate_card, sum(quantity)::HUGEINT AS quantity,
    sum(free_quantity)::HUGEINT AS free_quantity, sum(plan_quantity)::HUGEINT AS plan_quantity,
    sum(billable_quantity)::HUGEINT AS billable_quantity, sum(amount)::HUGEINT AS amount,
    min(place_from)::HUGEINT AS place_from, sum(numerator)::HUGEINT AS numerator,
    any_value(denominator)::HUGEINT AS denominator,
    coalesce(sum(amount) FILTER (term = 'flat fee'), 0)::HUGEINT AS flat_fee,
    coalesce(sum(amount) FILTER (term = 'maximum'), 0)::HUGEINT AS maximum,
    coalesce(sum(amount) FILTER (term = 'minimum'), 0)::HUGEINT AS minimum
-- Records of before terms were charged apart have no column term.
FROM (FROM effect_charges UNION ALL BY NAME SELECT 'usage' AS term WHERE FALSE)
WHERE NOT replayed
GROUP BY account_id, month, item, region, rate_card;
MERGE INTO month_state AS s
USING month_moves AS c
ON s.account_id = c.account_id AND s.month = c.month AND s.item = c.item
    AND s.region = c.region AND s.rate_card = c.rate_card
WHEN MATCHED THEN UPDATE SET
    quantity = s.quantity + c.quantity,
    free_quantity = s.free_quantity + c.free_quantity,
    plan_quantity = s.plan_quantity + c.plan_quantity,
    billable_quantity = s.billable_quantity + c.billable_quantity,
    amount = s.amount + c.amount,
    place_from = least(s.place_from, c.place_from),
    numerator = CASE
        WHEN s.denominator = c.denominator THEN s.numerator
        ELSE s.numerator * (c.denominator // gcd(s.denominator, c.denominator))
            // (s.denominator // gcd(s.denominator, c.denominator))
    END + c.numerator,
    denominator = c.denominator,
    flat_fee = s.flat_fee + c.flat_fee,
    maximum = s.maximum + c.maximum,
    minimum = s.minimum + c.minimum
WHEN NOT MATCHED THEN INSERT (
    account_id, month, item, region, rate_card, quantity, free_quantity, plan_quantity,
    billable_quantity, amount, place_from, numerator, denominator, flat_fee, maximum, minimum
) VALUES (
    c.account_id, c.month, c.item, c.region, c.rate_card, c.quantity, c.free_quantity,
    c.plan_quantity, c.billable_quantity, c.amount, c.place_from, c.numerator, c.denominator,
    c.flat_fee, c.maximum, c.minimum
);
DROP TABLE month_moves;

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
