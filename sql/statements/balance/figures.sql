-- Answers: what each account has, owes for the open hours and burns, and when its balance will be zero.
-- Grain: see the line above each statement; sums are HUGEINT, 10^-10 currency units; times are UTC without zone.
-- Reads: charges, balances, accounts, open_value. $accounts: only these accounts; NULL: all of them.

-- name: make_working_tables
-- burn, burn_day and figures_measured: one row per account; day_bounds: one per time zone.
CREATE OR REPLACE TEMP TABLE day_bounds (timezone VARCHAR, day_start TIMESTAMP, day_end TIMESTAMP);
CREATE OR REPLACE TEMP TABLE burn (
    account_id VARCHAR,
    payable_hour HUGEINT,
    payable_7_hours HUGEINT,
    payable_24_hours HUGEINT,
    payable_168_hours HUGEINT
);
CREATE OR REPLACE TEMP TABLE burn_day (account_id VARCHAR, payable_day HUGEINT);

-- name: add_burn
-- One row per account with a charge in the last 168 rated hours; an hour without charges counts as zero.
-- Periods up to a day (25 hours once a year) count: a monthly item says nothing about an hour.
INSERT INTO burn
SELECT
    account_id,
    COALESCE(SUM(amount) FILTER (period_end > $through - INTERVAL 1 HOUR AND is_hourly), 0),
    COALESCE(SUM(amount) FILTER (period_end > $through - INTERVAL 7 HOUR AND is_hourly), 0),
    COALESCE(SUM(amount) FILTER (period_end > $through - INTERVAL 24 HOUR), 0),
    SUM(amount)
FROM (
    SELECT
        account_id,
        amount,
        period_end,
        period_end - period_start <= INTERVAL 1 HOUR AS is_hourly
    FROM filed_charges
    WHERE
        period_end > $through - INTERVAL 168 HOUR
        AND period_end <= $through
        AND period_end - period_start <= INTERVAL 25 HOUR
        AND ($accounts::VARCHAR[] IS NULL OR account_id IN (SELECT unnest($accounts::VARCHAR[])))
)
GROUP BY account_id;

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
FROM accounts AS a
CROSS JOIN (SELECT COALESCE(MIN(hour), TIMESTAMP '1970-01-01') AS first_hour FROM imported_files) AS begun
LEFT JOIN balances AS b ON b.account_id = a.account_id AND b.currency = a.currency
LEFT JOIN burn AS u ON u.account_id = a.account_id
LEFT JOIN burn_day AS d ON d.account_id = a.account_id
LEFT JOIN open_value AS o ON o.account_id = a.account_id
LEFT JOIN (
    SELECT
        unnest(string_split($moved_accounts::VARCHAR, ' ')) AS account_id,
        unnest(string_split($moved::VARCHAR, ' '))::HUGEINT AS amount
) AS m ON m.account_id = a.account_id
WHERE $accounts::VARCHAR[] IS NULL OR a.account_id IN (SELECT unnest($accounts::VARCHAR[]));

-- name: forecast
-- One row per account of figures_measured: whole seconds until the projected amount is spent, in the middle (mean of
-- the day's and the week's burn: better than either alone, bench/forecast_backtest.py) and as a band (the fastest and
-- the slowest of hour, day and week). NULL: not within a year, which is no forecast. Nothing left and nothing burning
-- is no end in sight: most accounts that never paid in. Burns stay fractions, so that nothing is rounded.
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
        CASE
            WHEN projected < 0 THEN 0
            WHEN middle_amount > 0 THEN projected * middle_hours * 3600 // middle_amount
        END AS middle,
        CASE WHEN projected < 0 THEN 0 WHEN payable_hour > 0 THEN projected * 3600 // payable_hour END AS by_hour,
        CASE
            WHEN projected < 0 THEN 0
            WHEN payable_24_hours > 0 THEN projected * day_hours * 3600 // payable_24_hours
        END AS by_day,
        CASE
            WHEN projected < 0 THEN 0
            WHEN payable_168_hours > 0 THEN projected * hours_known * 3600 // payable_168_hours
        END AS by_week,
        366 * 86400 AS farthest
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
    middle_amount // middle_hours AS burn_per_hour,
    CASE WHEN middle <= farthest THEN middle::BIGINT END AS zero_in,
    CASE
        WHEN LEAST(by_hour, by_day, by_week) <= farthest THEN LEAST(by_hour, by_day, by_week)::BIGINT
    END AS zero_in_earliest,
    CASE
        WHEN by_hour <= farthest AND by_day <= farthest AND by_week <= farthest
            THEN GREATEST(by_hour, by_day, by_week)::BIGINT
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
