-- How much each account was charged in the last 1, 7, 24 and 168 rated hours, moved on by each rating run: what it charges
-- comes in, what has become too old goes. Only files with hours that go are read, not the week.
-- Run by billing/balance/burn.py before the run's own tables move. Reads: runs, charge_files, charges_at_hand, moved_balances, account_burn.

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

-- name: span
-- The session: up to where the runs before have rated and the one at hand has, its record, and the files that may have
-- charges which go (NULL: none).
SET VARIABLE burn = {
    'before': $before::TIMESTAMP, 'through': $through::TIMESTAMP, 'journal_no': $journal_no::BIGINT, 'files': $files::VARCHAR[]
};

-- name: come
-- One row per account with charges of the run for the last 168 hours: by what they move its sums. An hour or less is an hour;
-- longer periods, up to a day (25 hours once a year), count in a day and a week alone; a monthly item says nothing about an
-- hour, nor does what is sold or settled once.
CREATE OR REPLACE TEMP VIEW burn_come AS
SELECT
    account_no,
    sum(amount) FILTER (is_hourly AND period_end > through - INTERVAL 1 HOUR) AS payable_hour,
    sum(amount) FILTER (is_hourly AND period_end > through - INTERVAL 7 HOUR) AS payable_7_hours,
    sum(amount) FILTER (period_end > through - INTERVAL 24 HOUR) AS payable_24_hours,
    sum(amount) AS payable_168_hours
FROM (
    SELECT
        account_no,
        amount::HUGEINT AS amount,
        period_end,
        period_end - period_start <= INTERVAL 1 HOUR AS is_hourly,
        getvariable('burn').through AS through
    FROM charges_at_hand
    WHERE
        period_end > getvariable('burn').through - INTERVAL 168 HOUR
        AND period_end <= getvariable('burn').through
        AND period_end - period_start <= INTERVAL 25 HOUR
        AND item NOT IN ('plan', 'commitment')
)
GROUP BY account_no;

-- name: come_of_one_hour
-- The same where all charges of the run are of the last hour: its accounts' sums, which the balances move by too.
CREATE OR REPLACE TEMP VIEW burn_come AS
SELECT
    account_no,
    charged AS payable_hour,
    charged AS payable_7_hours,
    charged AS payable_24_hours,
    charged AS payable_168_hours
FROM moved_balances;

-- name: nothing_goes
-- Where no charge of before can leave a span.
CREATE OR REPLACE TEMP VIEW burn_gone AS
SELECT account_no, payable_7_hours, payable_24_hours, payable_168_hours FROM account_burn LIMIT 0;

-- name: go
-- One row per account with charges that lay in one of the longer spans up to the run before and lie outside of it now: of the
-- last hour nothing stays once there is another, so that no file is asked for it. A merged
-- file may have charges of later records, while records are applied anew; an older file names none. An amount goes by way
-- of 18 digits where it has no more: DuckDB's own cast of 38 takes twelve times as long.
CREATE OR REPLACE TEMP VIEW burn_gone AS
SELECT
    a.account_no,
    sum(g.amount) FILTER (g.is_hourly AND g.is_7) AS payable_7_hours,
    sum(g.amount) FILTER (g.is_24) AS payable_24_hours,
    sum(g.amount) FILTER (g.is_168) AS payable_168_hours
FROM (
    SELECT
        account_id,
        coalesce(CAST(TRY_CAST(amount AS DECIMAL(18, 0)) AS HUGEINT), CAST(amount AS HUGEINT)) AS amount,
        period_end - period_start <= INTERVAL 1 HOUR AS is_hourly,
        period_end > before - INTERVAL 7 HOUR AND period_end <= through - INTERVAL 7 HOUR AS is_7,
        period_end > before - INTERVAL 24 HOUR AND period_end <= through - INTERVAL 24 HOUR AS is_24,
        period_end > before - INTERVAL 168 HOUR AND period_end <= through - INTERVAL 168 HOUR AS is_168
    FROM (
        SELECT
            *,
            getvariable('burn').before AS before,
            getvariable('burn').through AS through
        FROM (
            FROM read_parquet(getvariable('burn').files, hive_partitioning = false, union_by_name = true)
            UNION ALL BY NAME SELECT NULL::BIGINT AS journal_no WHERE false
        )
    )
    WHERE
        period_end <= before
        AND coalesce(journal_no, 0) < getvariable('burn').journal_no
        AND period_end - period_start <= INTERVAL 25 HOUR
        AND item NOT IN ('plan', 'commitment')
        AND (is_7 OR is_24 OR is_168)
) AS g
INNER JOIN month_accounts AS a ON g.account_id = a.account_id
GROUP BY a.account_no;

-- name: moved
-- One row per account: what its sums are now. In the usual hour all of them move, so all are written anew. A run without a new
-- hour (late usage) adds to the last one.
CREATE OR REPLACE TEMP TABLE burn_moved AS
SELECT
    n.account_no,
    (
        coalesce(c.payable_hour, 0)
        + CASE
            WHEN getvariable('burn').through >= getvariable('burn').before + INTERVAL 1 HOUR THEN 0
            ELSE coalesce(b.payable_hour, 0)
        END
    )::HUGEINT AS payable_hour,
    (coalesce(b.payable_7_hours, 0) + coalesce(c.payable_7_hours, 0) - coalesce(g.payable_7_hours, 0))::HUGEINT AS payable_7_hours,
    (coalesce(b.payable_24_hours, 0) + coalesce(c.payable_24_hours, 0) - coalesce(g.payable_24_hours, 0))::HUGEINT AS payable_24_hours,
    (coalesce(b.payable_168_hours, 0) + coalesce(c.payable_168_hours, 0) - coalesce(g.payable_168_hours, 0))::HUGEINT
        AS payable_168_hours
FROM month_accounts AS n
LEFT JOIN account_burn AS b ON n.account_no = b.account_no
LEFT JOIN burn_come AS c ON n.account_no = c.account_no
LEFT JOIN burn_gone AS g ON n.account_no = g.account_no;
DROP VIEW burn_come;
DROP VIEW burn_gone;
DELETE FROM account_burn;
INSERT INTO account_burn
FROM burn_moved
WHERE payable_hour <> 0 OR payable_7_hours <> 0 OR payable_24_hours <> 0 OR payable_168_hours <> 0;
DROP TABLE burn_moved;
