-- Answers: which accounts get an invoice for the month now, with all that its head needs.
-- Grain: one row per account.
-- Reads: month_state, charges, issued_months, invoice_corrections, accounts, rating_held, replay_marks, invoice_zones, invoice_currencies.
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
    accounts.account_id,
    accounts.name,
    accounts.address,
    accounts.country,
    accounts.tax_id,
    accounts.email,
    accounts.tax_rate_bp,
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
