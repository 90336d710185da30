-- Charges at hand: those of the record that is being applied, in one shape for all who apply it, account and lane by number.
-- Run by billing/store/charges_at_hand.py before any table moves: a run that has just priced them knows the numbers, their file
-- the names alone.

-- name: charges_by_number
-- One row per charge of the record, by the number of its account, as the run that made it knows them: lane_no and to_*
-- say which month-to-date it moves, and to what (NULL: not known).
CREATE OR REPLACE TEMP VIEW charges_at_hand AS FROM effect_charges;

-- name: charges_by_name
-- The same of charges that have the names of their accounts alone, as files do, and no more than these. Records of before
-- terms were charged apart have no column term.
CREATE OR REPLACE TEMP VIEW named_charges AS
FROM effect_charges
UNION ALL BY NAME
SELECT
    'usage' AS term,
    CAST(NULL AS BIGINT) AS numerator,
    CAST(NULL AS BIGINT) AS denominator,
    CAST(NULL AS BIGINT) AS place_from,
    false AS replayed
WHERE false;
INSERT INTO month_accounts
SELECT
    (SELECT coalesce(max(account_no), 0) FROM month_accounts)
    + row_number() OVER (ORDER BY account_id),
    account_id
FROM (
    SELECT DISTINCT c.account_id
    FROM named_charges AS c
    ANTI JOIN month_accounts AS a ON c.account_id = a.account_id
);
CREATE OR REPLACE TEMP TABLE charges_numbered AS
SELECT
    a.account_no,
    c.item,
    c.region,
    c.month,
    c.period_start,
    c.period_end,
    c.quantity,
    c.free_quantity,
    c.plan_quantity,
    c.billable_quantity,
    c.amount,
    c.currency,
    c.rate_card,
    c.revision,
    c.reason,
    c.numerator,
    c.denominator,
    c.place_from,
    coalesce(c.replayed, false) AS replayed,
    coalesce(c.term, 'usage') AS term,
    l.lane_no,
    CAST(NULL AS BIGINT) AS to_free,
    CAST(NULL AS BIGINT) AS to_plan,
    CAST(NULL AS BIGINT) AS to_billable,
    CAST(NULL AS BIGINT) AS to_amount,
    CAST(NULL AS BIGINT) AS to_place_from,
    CAST(NULL AS HUGEINT) AS to_numerator
FROM named_charges AS c
INNER JOIN month_accounts AS a ON c.account_id = a.account_id
LEFT JOIN month_lanes AS l
    ON c.month = l.month AND c.item = l.item AND c.region = l.region AND c.rate_card = l.rate_card;
DROP VIEW named_charges;
CREATE OR REPLACE TEMP VIEW charges_at_hand AS FROM charges_numbered;

-- name: gather_facts
-- One row: what is known of all charges at hand, so that the usual record, in which all are alike, is short work.
CREATE OR REPLACE TEMP TABLE charge_facts AS
SELECT
    count(*) FILTER (NOT replayed AND lane_no IS NULL) AS unnumbered,
    count(*) FILTER (NOT replayed AND to_amount IS NULL) AS unknown,
    count(*) FILTER (to_amount IS NOT NULL) AS known,
    coalesce(
        min(period_start) FILTER (NOT replayed AND to_amount IS NULL)
        <> max(period_start) FILTER (NOT replayed AND to_amount IS NULL)
        OR bool_or(NOT replayed AND to_amount IS NULL AND term <> 'usage'),
        false
    ) AS repeats,
    min(month) AS first_month,
    CASE
        WHEN
            min(period_end) = max(period_end)
            AND max(period_end) - min(period_start) <= INTERVAL 1 HOUR
            AND NOT bool_or(item IN ('plan', 'commitment'))
            THEN max(period_end)
    END AS of_hour_ending
FROM charges_at_hand;

-- name: facts
-- One row: what is known of the charges at hand.
FROM charge_facts;

-- name: let_go
-- The record is applied.
DROP VIEW charges_at_hand;
DROP TABLE IF EXISTS charges_numbered;
DROP TABLE charge_facts;
