-- What needs a person's look today?
-- Grain: one row per figure: how many there are, and since when.
-- Reads: hours, account_states, deliveries, https_domains, quarantine, refused_lines, invoice_balances, usage_daily_parts.
-- Parameter days (number, 30): how many days ahead the end of a TLS certificate is told
-- Read by: people (edgetoll query).
SELECT
    'hours open' AS figure,
    count(*) AS amount,
    CAST(min(hour) AS VARCHAR) AS since
FROM hours
WHERE state = 'open'
UNION ALL
SELECT 'hours incomplete', count(*), CAST(min(hour) AS VARCHAR)
FROM hours
WHERE state = 'incomplete'
UNION ALL
SELECT 'accounts at risk', count(*), CAST(min(since) AS VARCHAR)
FROM account_states
WHERE state <> 'ok' OR unverified
UNION ALL
SELECT 'invoices overdue', count(*), CAST(min(due_on) AS VARCHAR)
FROM invoice_balances
WHERE days_overdue > 0
UNION ALL
SELECT
    'requests of nobody, this month',
    CAST(coalesce(sum(requests), 0) AS BIGINT),
    CAST(min(day) AS VARCHAR)
FROM usage_daily_parts
WHERE account_id IS NULL AND day >= date_trunc('month', CAST(now() AS DATE))
UNION ALL
SELECT 'deliveries that wait', count(*), CAST(min(happened_at) AS VARCHAR)
FROM deliveries
WHERE status IN ('waiting', 'given_up')
UNION ALL
SELECT 'TLS certificates that end soon', count(*), CAST(min(expires) AS VARCHAR)
FROM https_domains
WHERE
    (enabled_until IS NULL OR enabled_until > CAST(now() AS TIMESTAMP))
    AND expires < CAST(now() AS TIMESTAMP) + to_days(CAST($days AS INTEGER))
UNION ALL
SELECT 'records in quarantine', CAST(coalesce(sum(records), 0) AS BIGINT), CAST(min(first_seen) AS VARCHAR)
FROM quarantine
UNION ALL
SELECT 'log lines refused', CAST(coalesce(sum(lines), 0) AS BIGINT), NULL
FROM refused_lines

-- Sample:
-- edgetoll query what_needs_a_look
-- | figure | amount | since |
-- | --- | ---: | --- |
-- | hours open | 0 |  |
-- | hours incomplete | 1 | 2026-11-03 10:00:00 |
-- | accounts at risk | 1 | 2026-10-06 14:00:00 |
-- | invoices overdue | 1 | 2026-11-16 |
-- | requests of nobody, this month | 46 | 2026-11-03 |
-- … 4 more
