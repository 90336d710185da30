-- A rating run around the engine: what it finds, what it would charge, whether it is held, what it
-- posts. The engine's own statements are in statements/rating.
-- run_charges and effect_charges are the charges of the run at hand.

-- name: run_facts
-- One row: the last run that posted, the last import, and how many pasts wait for a look.
WITH last_run AS (
    SELECT through_hour, import_no
    FROM runs
    WHERE state IN ('done', 'released')
    ORDER BY journal_no DESC
    LIMIT 1
)

SELECT
    (SELECT through_hour FROM last_run) AS last_through,
    (SELECT import_no FROM last_run) AS last_run_import,
    (SELECT coalesce(max(import_no), 0) FROM imported_files) AS last_import,
    (
        SELECT count(*) FROM replay_marks
        WHERE from_bucket < (SELECT through_hour FROM last_run)
    ) AS pending;

-- name: charge_totals
-- One row per currency and kind of period (hour, day, month; agreement: what is sold or settled) (FAULTS F8, G8).
WITH kinds AS (
    SELECT
        currency,
        amount,
        period_start,
        CASE
            WHEN item IN ('plan', 'commitment') THEN 'agreement'
            WHEN period_end - period_start <= INTERVAL 1 HOUR THEN 'hour'
            WHEN period_end - period_start <= INTERVAL 26 HOUR THEN 'day'
            ELSE 'month'
        END AS period_kind
    FROM run_charges
)

SELECT
    currency,
    period_kind,
    CAST(sum(CAST(amount AS HUGEINT)) AS HUGEINT) AS amount,
    CAST(sum(abs(CAST(amount AS HUGEINT))) AS HUGEINT) AS gross,
    CASE period_kind WHEN 'agreement' THEN count(*) ELSE count(DISTINCT period_start) END AS periods,
    count(*) AS charges
FROM kinds
GROUP BY currency, period_kind
ORDER BY currency, period_kind;

-- name: recent_totals
-- One row per run that posted something, newest first, for the breaker's median.
SELECT totals
FROM runs
WHERE state IN ('done', 'released') AND charges > 0
ORDER BY journal_no DESC
LIMIT $limit;

-- name: held_run
-- At most one row: the run that the breaker holds.
SELECT run_id, totals
FROM runs
WHERE state = 'held'
ORDER BY journal_no DESC
LIMIT 1;

-- name: run_by_id
-- At most one row: a run as it stands.
SELECT state, through_hour, totals FROM runs WHERE run_id = $run_id;

-- name: set_posting
-- The session: which run and record the charges at hand become.
SET VARIABLE posting = {'run_id': $run_id, 'journal_no': CAST($journal_no AS BIGINT)};

-- name: charges_to_post
-- One row per charge of the run, as its file keeps it for good: with its run and its record; and the same by number.
CREATE OR REPLACE TEMP VIEW charges_to_post AS
SELECT
    *,
    getvariable('posting').run_id AS run_id,
    getvariable('posting').journal_no AS journal_no
FROM rating_out_charges;
CREATE OR REPLACE TEMP VIEW numbered_to_post AS
SELECT
    *,
    getvariable('posting').run_id AS run_id,
    getvariable('posting').journal_no AS journal_no
FROM rating_out_numbered;

-- name: keep_late
-- One row per charge of the run whose month an invoice of its account has.
INSERT INTO late_charges BY NAME
SELECT
    concat(
        'charge:', a.account_id, ':', c.item, ':', c.region, ':', c.month, ':',
        strftime(c.period_start, '%Y-%m-%dT%H:%M'), ':', c.rate_card, ':r', c.revision
    ) AS charge_id,
    a.account_id,
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
    c.rate_card,
    c.reason,
    c.term,
    CAST($journal_no AS BIGINT) AS journal_no
FROM charges_at_hand AS c
INNER JOIN month_accounts AS a ON c.account_no = a.account_no
SEMI JOIN issued_months AS i ON a.account_id = i.account_id AND c.month = i.month
WHERE c.month <= (SELECT max(month) FROM issued_months);

-- name: last_issued
-- One row: the last month of which an invoice stands, NULL before there is one.
SELECT max(month) AS month FROM issued_months;

-- name: drop_posted
-- What was posted stands in its file. A session that was opened anew, since its commit raised and was durable, has none of it.
DROP VIEW IF EXISTS charges_to_post;
DROP VIEW IF EXISTS numbered_to_post;
DROP VIEW IF EXISTS rating_out_charges;
DROP VIEW IF EXISTS rating_out_numbered;
DROP TABLE IF EXISTS rating_revisions;
DROP TABLE IF EXISTS rating_costs;

-- name: without_a_price
-- One row per account with hours that no price could rate: how many, the first, and what is wrong with it.
SELECT
    account_id,
    min(hour) AS hour,
    count(*) AS hours,
    arg_min(problem, hour) AS problem,
    arg_min(hint, hour) AS hint
FROM rating_held
GROUP BY account_id
ORDER BY account_id;

-- name: clear_replay_marks
-- What a run has looked at is forgotten.
DELETE FROM replay_marks;

-- name: drop_run
-- The held form of a run goes: the record that posts it stores it anew.
DELETE FROM runs WHERE run_id = $run_id;

-- name: end_held_runs
-- Whatever else is held is superseded by what is posted, or held, now.
UPDATE runs SET state = 'superseded' WHERE state = 'held';

-- name: insert_run
-- One row: what the run came to.
INSERT INTO runs BY NAME
SELECT
    $run_id AS run_id,
    $kind AS kind,
    CAST($ran_at AS TIMESTAMP) AS ran_at,
    $state AS state,
    CAST($through_hour AS TIMESTAMP) AS through_hour,
    CAST($import_no AS BIGINT) AS import_no,
    CAST($charges AS BIGINT) AS charges,
    CAST($hours AS BIGINT) AS hours,
    $totals AS totals,
    $reason AS reason,
    CAST($journal_no AS BIGINT) AS journal_no;

-- name: run_effect_of
-- One row: what a record charged: by the store's view, and in the journal's file by itself.
SELECT
    s.charges,
    CAST(s.amount AS HUGEINT) AS amount,
    f.charges AS journaled_charges,
    CAST(f.amount AS HUGEINT) AS journaled
FROM (
    SELECT count(*) AS charges, coalesce(sum(amount), 0) AS amount
    FROM filed_charges
    WHERE journal_no = $journal_no
) AS s
CROSS JOIN (
    SELECT count(*) FILTER (journal_no = $journal_no) AS charges, coalesce(sum(amount), 0) AS amount
    FROM read_parquet($file)
) AS f;
