-- Calendar: local months and days, the accounts in them, and how each account bought its traffic when.
-- Months, days, quotas and tiers roll at an account's local midnight; Python's zoneinfo says when that is.
-- Reads: rating_subjects, rating_replays, given_months, given_days, price_books, price_items, account_methods.

-- name: calendar_facts
-- One row: the earliest change of any account's past and, before the first run, the earliest opening (NULL when
-- there is none), and the time zones in use.
SELECT
    (SELECT min(from_bucket) FROM rating_replays) AS first_change,
    (SELECT min(opens_at) FROM rating_subjects WHERE $first AND opens_at < $through) AS first_opening,
    (
        SELECT list(DISTINCT coalesce(nullif(a.timezone, ''), b.timezone, 'UTC'))
        FROM rating_subjects AS a LEFT JOIN price_books AS b ON b.book = a.price_book
    ) AS timezones;

-- name: months_and_days
-- One row per time zone and month (number: year * 12 + month - 1), one per time zone and day. Tables, since the
-- optimizer knows nothing about what Python registers.
CREATE OR REPLACE TEMP TABLE rating_months AS
SELECT timezone, number, month, starts_at, ends_at, days FROM given_months;
CREATE OR REPLACE TEMP TABLE rating_days AS
SELECT timezone, day, number, starts_at, ends_at FROM given_days;

-- name: accounts
-- One row per account with all that rating needs; replay_from is NULL where only new hours are added; has_own: some card
-- is for it alone.
CREATE OR REPLACE TEMP TABLE rating_accounts AS
SELECT
    a.account_key, a.account_id, n.account_no,
    coalesce(nullif(a.timezone, ''), b.timezone, 'UTC') AS timezone,
    a.price_book AS book, b.book IS NOT NULL AS has_book, a.currency,
    a.currency = b.currency AS currency_fits,
    coalesce(i.item_no, 0) AS basic_item_no, a.opened_at, a.opens_at, a.closes_at,
    m.starts_at AS replay_from, m.number AS replay_month, c.reason,
    a.account_id IN (SELECT account_id FROM price_force WHERE account_id IS NOT NULL) AS has_own
FROM rating_subjects AS a
LEFT JOIN month_accounts AS n ON n.account_id = a.account_id
LEFT JOIN price_books AS b ON b.book = a.price_book
LEFT JOIN price_items AS i ON i.item = a.billing_method
LEFT JOIN rating_replays AS c ON c.account_id = a.account_id
LEFT JOIN rating_months AS m
    ON m.timezone = coalesce(nullif(a.timezone, ''), b.timezone, 'UTC')
    AND c.from_bucket >= m.starts_at AND c.from_bucket < m.ends_at;

-- name: method_periods
-- One row per account that ever changed its billing method and period of one method: a change takes effect at
-- the next local 00:00, leaving the 95th percentile at the next month (DOMAIN §1.8).
CREATE OR REPLACE TEMP TABLE rating_method_periods AS
WITH changed AS (
    SELECT DISTINCT a.account_key
    FROM account_methods AS m
    JOIN rating_accounts AS a ON a.account_id = m.account_id
    JOIN price_items AS i ON i.item = m.method AND i.item_no <> a.basic_item_no
), asked AS (
    SELECT
        a.account_key, a.timezone, i.item_no, m.effective_from,
        lag(i.item_no) OVER steps AS item_before
    FROM account_methods AS m
    JOIN (
        SELECT account_key, account_id, timezone FROM rating_accounts
        WHERE account_key IN (FROM changed)
    ) AS a ON a.account_id = m.account_id
    JOIN price_items AS i ON i.item = m.method
    WINDOW steps AS (PARTITION BY a.account_key ORDER BY m.effective_from)
), begun AS (
    SELECT
        s.account_key, s.item_no, s.effective_from,
        CASE
            WHEN s.item_before IS NULL THEN TIMESTAMP '1970-01-01'
            WHEN s.item_before = 6 THEN (
                SELECT min(m.starts_at) FROM rating_months AS m
                WHERE m.timezone = s.timezone AND m.starts_at >= s.effective_from
            )
            ELSE (
                SELECT min(d.starts_at) FROM rating_days AS d
                WHERE d.timezone = s.timezone AND d.starts_at >= s.effective_from
            )
        END AS starts_at
    FROM asked AS s
)
SELECT
    account_key, item_no, coalesce(starts_at, TIMESTAMP '9999-01-01') AS starts_at,
    coalesce(
        lead(coalesce(starts_at, TIMESTAMP '9999-01-01')) OVER (
            PARTITION BY account_key ORDER BY starts_at NULLS LAST, effective_from
        ),
        TIMESTAMP '9999-01-01'
    ) AS ends_at
FROM begun;

-- name: range_facts
-- One row: the earliest replay, how many accounts buy or ever bought by bandwidth, the first month's beginning.
SELECT
    (SELECT min(replay_from) FROM rating_accounts) AS replay_start,
    (SELECT count(*) FROM rating_accounts WHERE basic_item_no IN (5, 6))
    + (SELECT count(*) FROM rating_method_periods WHERE item_no IN (5, 6)) AS bandwidth_users,
    (SELECT min(starts_at) FROM rating_months) AS first_month_start;
