-- Answers: what each account has, owes for the open hours and burns, and when its balance will be zero.
-- Grain: see the line above each statement; sums are HUGEINT, 10^-10 currency units; times are UTC without zone.
-- Reads: account_burn, month_accounts, charges, balances, accounts, open_value. $accounts: only these accounts; NULL: all of them.

-- name: make_working_tables
-- burn_day: one row per account; day_bounds: one per time zone.
CREATE OR REPLACE TEMP TABLE day_bounds (timezone VARCHAR, day_start TIMESTAMP, day_end TIMESTAMP);
CREATE OR REPLACE TEMP TABLE burn_day (account_id VARCHAR, payable_day HUGEINT);

-- name: daily_zones
-- One row per time zone in which accounts settled by the day live.
SELECT DISTINCT timezone
FROM accounts
WHERE
    billing_method = $daily_method
    AND ($accounts::VARCHAR[] IS NULL OR account_id IN (SELECT unnest($accounts::VARCHAR[])))
ORDER BY timezone;

-- name: add_day_bounds
-- The most recent whole day of one time zone, computed by the caller.
INSERT INTO day_bounds VALUES ($timezone, $day_start, $day_end);

-- name: add_burn_day
-- One row per account settled by the day that had charges in its most recent whole local day. An hour that
-- lies across midnight (a zone of UTC+5:45) counts to the day it ends in.
INSERT INTO burn_day
SELECT c.account_id, SUM(c.amount)
FROM charges AS c
INNER JOIN accounts AS a ON a.account_id = c.account_id
INNER JOIN day_bounds AS d ON d.timezone = a.timezone
WHERE
    a.billing_method = $daily_method
    AND c.period_end > $not_before
    AND c.period_end > d.day_start
    AND c.period_end <= d.day_end
    AND ($accounts::VARCHAR[] IS NULL OR c.account_id IN (SELECT unnest($accounts::VARCHAR[])))
GROUP BY c.account_id;

-- name: everybody
-- Whom to measure: all accounts, and what they burn, where they stand.
CREATE OR REPLACE TEMP VIEW figures_accounts AS
FROM accounts;
CREATE OR REPLACE TEMP VIEW figures_burn AS
SELECT n.account_id, b.*
FROM account_burn AS b
INNER JOIN month_accounts AS n ON n.account_no = b.account_no;

-- name: chosen
-- Whom to measure: only these. They stand in a table of their own, so that the other tables are looked into for them
-- and not read whole.
CREATE OR REPLACE TEMP TABLE figures_chosen AS
SELECT DISTINCT unnest($accounts::VARCHAR[]) AS account_id;

-- name: only_chosen
-- Whom to measure: the accounts of figures_chosen.
CREATE OR REPLACE TEMP VIEW figures_accounts AS
SELECT a.*
FROM figures_chosen AS c
INNER JOIN accounts AS a ON a.account_id = c.account_id;
CREATE OR REPLACE TEMP VIEW figures_burn AS
SELECT c.account_id, b.*
FROM figures_chosen AS c
INNER JOIN month_accounts AS n ON n.account_id = c.account_id
INNER JOIN account_burn AS b ON b.account_no = n.account_no;

-- name: measure
-- One row per account. $moved: by how much the funds of each of $moved_accounts are about to grow (two texts of
-- equally many words; NULL: nothing moves).
-- Nobody burned before the first hour that was imported, nor before the account was opened.
CREATE OR REPLACE TEMP TABLE figures_measured AS
SELECT
    a.account_id,
    a.currency,
    a.credit_limit + COALESCE(b.cash + b.vouchers - b.charged, 0) + COALESCE(m.amount, 0) AS available,
    COALESCE(o.amount, 0)::HUGEINT AS open_amount,
    available - open_amount AS projected,
    COALESCE(u.payable_hour, 0)::HUGEINT AS payable_hour,
    COALESCE(u.payable_7_hours, 0)::HUGEINT AS payable_7_hours,
    COALESCE(u.payable_24_hours, 0)::HUGEINT AS payable_24_hours,
    COALESCE(u.payable_168_hours, 0)::HUGEINT AS payable_168_hours,
    COALESCE(d.payable_day, 0)::HUGEINT AS payable_day,
    LEAST(168, GREATEST(1, date_diff('hour', GREATEST(a.opened_at, begun.first_hour), $through))) AS hours_known
FROM figures_accounts AS a
CROSS JOIN (SELECT COALESCE(MIN(hour), TIMESTAMP '1970-01-01') AS first_hour FROM imported_files) AS begun
LEFT JOIN balances AS b ON b.account_id = a.account_id AND b.currency = a.currency
LEFT JOIN figures_burn AS u ON u.account_id = a.account_id
LEFT JOIN burn_day AS d ON d.account_id = a.account_id
LEFT JOIN open_value AS o ON o.account_id = a.account_id
LEFT JOIN (
    SELECT
        unnest(string_split($moved_accounts::VARCHAR, ' ')) AS account_id,
        unnest(string_split($moved::VARCHAR, ' '))::HUGEINT AS amount
) AS m ON m.account_id = a.account_id;

-- name: forecast
-- One row per account of figures_measured: whole seconds until the projected amount is spent, in the middle (mean of
-- the day's and the week's burn: better than either alone, bench/forecast_backtest.py) and as a band (the fastest and
-- the slowest of hour, day and week). NULL: not within a year, which is no forecast. Nothing left and nothing burning
-- is no end in sight: most accounts that never paid in. Burns stay fractions, so that nothing is rounded. A division of
-- HUGEINT takes thirty times as long as one of BIGINT: whole_part is the one that its numbers fit, seconds_left (of an
-- amount that burns as `spent` in `hours`) asks first whether the end is within the year.
CREATE OR REPLACE TEMP MACRO whole_part(part, of) AS
    CASE
        WHEN greatest(abs(part), abs(of)) < 4611686018427387904 THEN part::BIGINT // of::BIGINT
        ELSE part // of
    END;
CREATE OR REPLACE TEMP MACRO seconds_left(left_over, hours, spent) AS
    CASE
        WHEN left_over < 0 THEN 0
        WHEN spent > 0 AND left_over * hours * 3600 < (366 * 86400 + 1) * spent
            THEN whole_part(left_over * hours * 3600, spent)
    END::BIGINT;
CREATE OR REPLACE TEMP TABLE account_figures AS
WITH burns AS (
    SELECT
        *,
        LEAST(24, hours_known) AS day_hours,
        payable_24_hours * hours_known + payable_168_hours * day_hours AS middle_amount,
        2 * day_hours * hours_known AS middle_hours
    FROM figures_measured
),

spans AS (
    SELECT
        *,
        seconds_left(projected, middle_hours, middle_amount) AS middle,
        seconds_left(projected, 1, payable_hour) AS by_hour,
        seconds_left(projected, day_hours, payable_24_hours) AS by_day,
        seconds_left(projected, hours_known, payable_168_hours) AS by_week
    FROM burns
)

SELECT
    account_id,
    currency,
    available,
    open_amount,
    projected,
    payable_hour,
    payable_7_hours,
    payable_24_hours,
    payable_168_hours,
    payable_day,
    hours_known,
    whole_part(middle_amount, middle_hours)::HUGEINT AS burn_per_hour,
    middle AS zero_in,
    LEAST(by_hour, by_day, by_week) AS zero_in_earliest,
    CASE
        WHEN by_hour IS NOT NULL AND by_day IS NOT NULL AND by_week IS NOT NULL
            THEN GREATEST(by_hour, by_day, by_week)
    END AS zero_in_latest
FROM spans;

-- name: recent_payables
-- One row per account and hour with a charge, for the small plot of `billing accounts`.
SELECT
    account_id,
    date_diff('hour', $begin, date_trunc('hour', period_start)) AS hour_no,
    SUM(amount) AS amount
FROM charges
WHERE
    period_start >= $begin
    AND period_start < $through
    AND period_end - period_start <= INTERVAL 1 HOUR
    AND list_contains($accounts, account_id)
GROUP BY ALL
ORDER BY ALL;
