-- Which accounts get an invoice for a month now, and which must wait.
-- billing/invoices/run.py runs them in this order; readiness.py judges the time zones between them.
-- Times are UTC without zone; months and days come from Python's zone data, as in rating.

-- name: account_zones
-- One row per time zone and currency. Which time zones and currencies accounts have.
SELECT DISTINCT
    timezone,
    currency
FROM accounts
WHERE $account IS NULL OR account_id = $account
ORDER BY timezone, currency;

-- name: lagging_partitions
-- One row per partition; complete_through is exclusive, NULL when nothing is whole yet. Up to where each partition's
-- hours are closed, as far as billing took them in.
SELECT
    partition,
    max_by(complete_through, certificate_number) AS complete_through
FROM imported_files
GROUP BY partition
ORDER BY partition;

-- name: rated_through
-- One row; NULLs when nothing was rated yet. Up to which hour usage was rated, which import that covered, and
-- whether a run is held. Rating looks at usage, so an import of empty hours alone leaves nothing to rate: once all
-- usage is rated, everything imported is covered.
WITH seen AS (
    SELECT
        (SELECT coalesce(max(import_no), 0) FROM rating_marks) AS rated_no,
        (SELECT coalesce(max(import_no), 0) FROM usage) AS used_no,
        (SELECT coalesce(max(import_no), 0) FROM imported_files WHERE NOT too_old) AS imported_no
)

SELECT
    (SELECT max(through) FROM rating_marks) AS through_hour,
    CASE WHEN rated_no < used_no THEN rated_no ELSE greatest(rated_no, imported_no) END AS import_no,
    rated_no < used_no AS has_unrated,
    (SELECT coalesce(string_agg(run_id, ', ' ORDER BY run_id), '') FROM runs WHERE state = 'held') AS held_runs
FROM seen;

-- name: too_old_hours
-- One row per time zone of whose month closed hours wait to be accepted, being too old to be billed unseen.
WITH months AS (
    SELECT
        unnest($zones::VARCHAR[]) AS timezone,
        unnest($starts::TIMESTAMP[]) AS period_start,
        unnest($ends::TIMESTAMP[]) AS period_end
)

SELECT
    months.timezone,
    count(DISTINCT files.hour) AS hours,
    CAST(sum(files.requests) AS BIGINT) AS requests,
    min(files.hour) AS first_hour
FROM months
INNER JOIN imported_files AS files
    ON files.hour < months.period_end AND files.hour + INTERVAL 1 HOUR > months.period_start
WHERE files.too_old
GROUP BY months.timezone;

-- name: zones
-- One row per time zone; times are UTC. Where the month begins and ends in each time zone that accounts have.
CREATE OR REPLACE TEMP TABLE invoice_zones AS
SELECT
    unnest($zones::VARCHAR[]) AS timezone,
    unnest($starts::TIMESTAMP[]) AS period_start,
    unnest($ends::TIMESTAMP[]) AS period_end,
    unnest($ready::BOOLEAN[]) AS is_ready;

-- name: zone_days
-- One row per time zone and local day. Which stretch of UTC each local day of the month is.
CREATE OR REPLACE TEMP TABLE invoice_days AS
SELECT
    unnest($zones::VARCHAR[]) AS timezone,
    unnest($days::DATE[]) AS day,
    unnest($starts::TIMESTAMP[]) AS day_start,
    unnest($ends::TIMESTAMP[]) AS day_end;

-- name: currencies
-- One row per seller, currency and kind of document: its series, the last number of it, and the minor unit that
-- documents are settled in ($steps: 10^-10 units in one).
CREATE OR REPLACE TEMP TABLE invoice_currencies AS
WITH given AS (
    SELECT
        unnest($sellers::VARCHAR[]) AS seller_id,
        unnest($currencies::VARCHAR[]) AS currency,
        unnest($kinds::VARCHAR[]) AS kind,
        unnest($series::VARCHAR[]) AS series,
        unnest($digits::INTEGER[]) AS digits,
        unnest($steps::HUGEINT[]) AS step
)

SELECT
    given.seller_id,
    given.currency,
    given.kind,
    given.series,
    given.digits,
    given.step,
    coalesce(invoice_series.last_number, 0) AS last_number
FROM given
LEFT JOIN invoice_series ON given.series = invoice_series.series;

-- name: late
-- One row per charge. Which charges of earlier, issued months stand on no invoice yet: the next one carries them.
CREATE OR REPLACE TEMP TABLE invoice_late AS
WITH void AS (
    SELECT DISTINCT invoice_no
    FROM invoice_events
    WHERE status = 'void'
),

carried AS (
    SELECT invoice_corrections.charge_id
    FROM invoice_corrections
    LEFT JOIN void USING (invoice_no)
    WHERE void.invoice_no IS NULL
)

SELECT
    charges.charge_id,
    charges.account_id,
    charges.month,
    charges.item,
    charges.region,
    charges.period_start,
    charges.period_end,
    charges.quantity,
    charges.free_quantity,
    charges.plan_quantity,
    charges.billable_quantity,
    charges.amount,
    charges.rate_card,
    charges.reason,
    issued_months.invoice_no AS corrects_invoice
FROM late_charges AS charges
INNER JOIN issued_months
    ON charges.account_id = issued_months.account_id AND charges.month = issued_months.month
LEFT JOIN carried ON charges.charge_id = carried.charge_id
WHERE
    charges.journal_no > issued_months.journal_no
    AND charges.month < $month
    AND carried.charge_id IS NULL
    AND ($account IS NULL OR charges.account_id = $account);

-- name: late_months
-- One row per earlier month of which something stands on no invoice yet.
SELECT DISTINCT month
FROM invoice_late
ORDER BY month;

-- name: month_ends
-- One row per time zone and month that a line may be about: where it ends, in UTC.
CREATE OR REPLACE TEMP TABLE invoice_month_ends AS
SELECT
    unnest($zones::VARCHAR[]) AS timezone,
    unnest($months::VARCHAR[]) AS month,
    unnest($ends::TIMESTAMP[]) AS ends_at;

-- name: due
-- One row per account. Which accounts get an invoice for the month now, with all that its head needs: by which seller,
-- and in which language. account_no: its place by its id; what is added up for it is kept by this number.
CREATE OR REPLACE TEMP TABLE invoice_due AS
WITH late_accounts AS (
    SELECT DISTINCT account_id
    FROM invoice_late
),

used AS (
    SELECT DISTINCT account_id
    FROM month_state
    WHERE month = $month
),

standing AS (
    SELECT account_id
    FROM issued_months
    WHERE month = $month
),

voided AS (
    SELECT
        account_id,
        max_by(invoice_no, journal_no) AS invoice_no
    FROM invoices
    WHERE month = $month AND kind = 'invoice'
    GROUP BY account_id
),

held AS (
    SELECT DISTINCT rating_held.account_id
    FROM rating_held
    INNER JOIN accounts USING (account_id)
    INNER JOIN invoice_zones USING (timezone)
    WHERE
        rating_held.hour < invoice_zones.period_end
        AND rating_held.hour + INTERVAL 1 HOUR > invoice_zones.period_start
),

changed AS (
    SELECT DISTINCT replay_marks.account_id
    FROM replay_marks
    INNER JOIN accounts USING (account_id)
    INNER JOIN invoice_zones USING (timezone)
    WHERE replay_marks.from_bucket < invoice_zones.period_end
)

SELECT
    CAST(row_number() OVER (ORDER BY accounts.account_id) AS INTEGER) AS account_no,
    accounts.account_id,
    accounts.name,
    accounts.address,
    accounts.country,
    accounts.tax_id,
    accounts.email,
    accounts.details,
    coalesce(accounts.details ->> '$.seller', '') AS seller_id,
    coalesce(
        nullif(accounts.details ->> '$.language', ''),
        CASE WHEN $language = 'country' THEN list_extract($languages::VARCHAR[], list_position($countries::VARCHAR[], accounts.country)) END,
        CASE WHEN $language = 'country' THEN 'en' ELSE $language END
    ) AS language,
    accounts.currency,
    accounts.timezone,
    voided.invoice_no AS corrects,
    held.account_id IS NOT NULL AS is_held,
    changed.account_id IS NOT NULL AS is_changed,
    zones.is_ready
FROM accounts
INNER JOIN invoice_zones AS zones ON accounts.timezone = zones.timezone
LEFT JOIN standing ON accounts.account_id = standing.account_id
LEFT JOIN voided ON accounts.account_id = voided.account_id
LEFT JOIN held ON accounts.account_id = held.account_id
LEFT JOIN changed ON accounts.account_id = changed.account_id
LEFT JOIN used ON accounts.account_id = used.account_id
LEFT JOIN late_accounts ON accounts.account_id = late_accounts.account_id
WHERE
    standing.account_id IS NULL
    AND (used.account_id IS NOT NULL OR late_accounts.account_id IS NOT NULL OR held.account_id IS NOT NULL)
    AND ($account IS NULL OR accounts.account_id = $account)
    AND (voided.invoice_no IS NULL OR $reissue);

-- name: not_due
-- One row per account. Which accounts cannot be issued yet, and whether it is for hours not closed, held, or
-- changed.
SELECT
    due.account_id,
    due.timezone,
    due.is_ready,
    due.is_changed,
    min(held.hour) AS first_held,
    coalesce(min_by(held.problem, held.hour), '') AS problem,
    coalesce(min_by(held.hint, held.hour), '') AS hint
FROM invoice_due AS due
LEFT JOIN rating_held AS held ON due.account_id = held.account_id AND due.is_held
WHERE due.is_held OR due.is_changed OR NOT due.is_ready
GROUP BY due.account_id, due.timezone, due.is_ready, due.is_changed
ORDER BY due.account_id;

-- name: drop_not_due
-- One row per account. Leaves only the accounts that can be issued now.
DELETE FROM invoice_due
WHERE is_held OR is_changed OR NOT is_ready OR list_contains($waiting::VARCHAR[], account_id);

-- name: sellers_in_use
-- One row per seller of the accounts that are due.
SELECT DISTINCT seller_id
FROM invoice_due
ORDER BY seller_id;

-- name: accounts_of_seller
-- One row per account that is due and whose seller it is.
SELECT account_id
FROM invoice_due
WHERE seller_id = $seller_id
ORDER BY account_id;

-- name: languages_in_use
-- One row per language that documents are about to be written in.
SELECT DISTINCT language
FROM invoice_due
WHERE NOT (is_held OR is_changed OR NOT is_ready)
ORDER BY language;

-- name: accounts_of_language
-- One row per account that could be issued now and wants that language.
SELECT account_id
FROM invoice_due
WHERE language = $language AND NOT (is_held OR is_changed OR NOT is_ready)
ORDER BY account_id;

-- name: last_due
-- One row: the highest number of an account that is due, 0 where none is.
SELECT coalesce(max(account_no), 0) AS last_no
FROM invoice_due;

-- name: keep_due
-- All that are due stand aside, to be issued part by part.
DROP TABLE IF EXISTS invoice_all_due;
ALTER TABLE invoice_due RENAME TO invoice_all_due;

-- name: part_of_due
-- One row per account of the next part: those with the numbers above $after up to $through.
CREATE OR REPLACE TEMP TABLE invoice_due AS
FROM invoice_all_due
WHERE account_no > $after AND account_no <= $through;

-- name: drop_undecided
-- One row per account. Leaves only those of which seller and tax are known, of drafts too.
DELETE FROM invoice_due
WHERE list_contains($undecided::VARCHAR[], account_id);

-- name: e_invoice_parties
-- One row per account that wants e-invoices and could be issued now: what they would say of it, and its rates of tax.
SELECT
    due.account_id,
    due.name,
    due.country,
    due.tax_id,
    due.email,
    due.details,
    due.seller_id,
    any_value(rates.category) FILTER (rates.tax_rate_bp = 0) AS tax_category,
    any_value(rates.sentence) FILTER (rates.tax_rate_bp = 0) AS tax_reason,
    any_value(currencies.digits) AS digits,
    list(DISTINCT rates.tax_rate_bp ORDER BY rates.tax_rate_bp) AS rates
FROM invoice_due AS due
INNER JOIN invoice_currencies AS currencies ON due.currency = currencies.currency AND due.seller_id = currencies.seller_id
INNER JOIN invoice_tax_rates AS rates ON due.account_id = rates.account_id
WHERE due.details ->> '$.e_invoice' <> '' AND NOT (due.is_held OR due.is_changed OR NOT due.is_ready)
GROUP BY due.account_id, due.name, due.country, due.tax_id, due.email, due.details, due.seller_id
ORDER BY due.account_id;

-- name: printed_parties
-- One row per account that could be issued now and whose name, address or references have more than Latin letters.
SELECT
    account_id,
    concat(name, address, country, tax_id, email, details) AS text
FROM invoice_due
WHERE
    NOT (is_held OR is_changed OR NOT is_ready)
    AND regexp_matches(concat(name, address, country, tax_id, email, details), '[^\x{0000}-\x{024F}]')
ORDER BY account_id;

-- name: tax_rates
-- One row per due account and month that a line may be about: the rate of tax in force for the customer at the end of
-- that month (DOMAIN §10.15), whenever the invoice is issued; of a customer who came later, its first. category: why
-- there is none, where a table of taxes decides it (below); else NULL.
CREATE OR REPLACE TEMP TABLE invoice_tax_rates AS
WITH wanted AS (
    SELECT account_no, account_id, timezone, $month::VARCHAR AS month
    FROM invoice_due
    UNION
    SELECT due.account_no, due.account_id, due.timezone, late.month
    FROM invoice_due AS due
    INNER JOIN invoice_late AS late ON due.account_id = late.account_id
)

SELECT
    wanted.account_no,
    wanted.account_id,
    wanted.month,
    coalesce(
        max_by(versions.tax_rate_bp, (versions.effective_from, versions.journal_no))
            FILTER (versions.effective_from < ends.ends_at),
        min_by(versions.tax_rate_bp, (versions.effective_from, versions.journal_no))
    ) AS tax_rate_bp,
    NULL::VARCHAR AS category,
    NULL::VARCHAR AS sentence,
    NULL::VARCHAR AS code
FROM wanted
INNER JOIN invoice_month_ends AS ends ON wanted.timezone = ends.timezone AND wanted.month = ends.month
LEFT JOIN account_versions AS versions ON wanted.account_id = versions.account_id
GROUP BY wanted.account_no, wanted.account_id, wanted.month;
