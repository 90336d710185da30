-- How much each account was charged in the last 1, 7, 24 and 168 rated hours, moved on by each rating run: what it charges
-- comes in, what has become too old goes. Only files with hours that go are read, not the week.
-- Run by billing/balance/burn.py before the run's own tables move. Reads: runs, charge_files, effect_charges, account_burn.

-- name: before
-- One row: the hour up to which the runs so far have rated, and the files that can hold charges of the 168 hours before it. A charge is posted by a run that has rated its period.
WITH posted AS (
    SELECT journal_no, through_hour
    FROM runs
    WHERE state IN ('done', 'released')
),

last_run AS (
    SELECT max(through_hour) AS through
    FROM posted
),

first_run AS (
    SELECT min(p.journal_no) AS journal_no
    FROM posted AS p
    INNER JOIN last_run AS l ON p.through_hour > l.through - INTERVAL 168 HOUR
)

SELECT
    l.through,
    (
        SELECT list(DISTINCT getvariable('home') || '/journal/effects/' || f.file)
        FROM charge_files AS f
        INNER JOIN first_run AS r ON f.journal_no >= r.journal_no
    ) AS files
FROM last_run AS l;

-- name: come
-- One row per account that the run charges for the last 168 hours. An hour or less is an hour; longer periods, up to a
-- day (25 hours once a year), count in a day and a week alone; a monthly item says nothing about an hour, nor does what is
-- sold or settled once.
CREATE OR REPLACE TEMP TABLE burn_moves AS
SELECT
    account_id,
    coalesce(sum(amount) FILTER (period_end > $through - INTERVAL 1 HOUR AND is_hourly), 0)::HUGEINT AS payable_hour,
    coalesce(sum(amount) FILTER (period_end > $through - INTERVAL 7 HOUR AND is_hourly), 0)::HUGEINT
        AS payable_7_hours,
    coalesce(sum(amount) FILTER (period_end > $through - INTERVAL 24 HOUR), 0)::HUGEINT AS payable_24_hours,
    sum(amount)::HUGEINT AS payable_168_hours
FROM (
    SELECT account_id, amount, period_end, period_end - period_start <= INTERVAL 1 HOUR AS is_hourly
    FROM effect_charges
    WHERE
        period_end > $through - INTERVAL 168 HOUR
        AND period_end <= $through
        AND period_end - period_start <= INTERVAL 25 HOUR
        AND item NOT IN ('plan', 'commitment')
)
GROUP BY account_id;

-- name: go
-- A merged file may have charges of later records, while records are applied anew; an older file names none.
-- One row more per account with charges that lay in one of the spans up to $before and lie outside of it up to $through.
INSERT INTO burn_moves
SELECT
    account_id,
    -coalesce(sum(amount) FILTER (is_hourly AND is_1), 0),
    -coalesce(sum(amount) FILTER (is_hourly AND is_7), 0),
    -coalesce(sum(amount) FILTER (is_24), 0),
    -coalesce(sum(amount) FILTER (is_168), 0)
FROM (
    SELECT
        account_id,
        amount,
        period_end - period_start <= INTERVAL 1 HOUR AS is_hourly,
        period_end > $before - INTERVAL 1 HOUR AND period_end <= $through - INTERVAL 1 HOUR AS is_1,
        period_end > $before - INTERVAL 7 HOUR AND period_end <= $through - INTERVAL 7 HOUR AS is_7,
        period_end > $before - INTERVAL 24 HOUR AND period_end <= $through - INTERVAL 24 HOUR AS is_24,
        period_end > $before - INTERVAL 168 HOUR AND period_end <= $through - INTERVAL 168 HOUR AS is_168
    FROM (
        FROM read_parquet($files, hive_partitioning = false, union_by_name = true)
        UNION ALL BY NAME SELECT NULL::BIGINT AS journal_no WHERE false
    )
    WHERE
        period_end <= $before
        AND coalesce(journal_no, 0) < $journal_no
        AND period_end - period_start <= INTERVAL 25 HOUR
        AND item NOT IN ('plan', 'commitment')
        AND (is_1 OR is_7 OR is_24 OR is_168)
)
GROUP BY account_id;

-- name: moved
-- One row per account that moves: what its sums are now.
CREATE OR REPLACE TEMP TABLE burn_moved AS
SELECT
    account_id,
    sum(payable_hour)::HUGEINT AS payable_hour,
    sum(payable_7_hours)::HUGEINT AS payable_7_hours,
    sum(payable_24_hours)::HUGEINT AS payable_24_hours,
    sum(payable_168_hours)::HUGEINT AS payable_168_hours
FROM (
    FROM burn_moves
    UNION ALL
    FROM account_burn WHERE account_id IN (SELECT account_id FROM burn_moves)
)
GROUP BY account_id;
DELETE FROM account_burn WHERE account_id IN (SELECT account_id FROM burn_moved);
INSERT INTO account_burn
FROM burn_moved
WHERE payable_hour <> 0 OR payable_7_hours <> 0 OR payable_24_hours <> 0 OR payable_168_hours <> 0;
DROP TABLE burn_moves;
DROP TABLE burn_moved;
