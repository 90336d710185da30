-- Which accounts are about to lose service, and when?
-- Grain: one row per account that is not ok.
-- Reads: account_states, accounts.
-- Parameter account (text, all): one account, or all of them
-- Chart: bar, account_id, available
-- Read by: people (edgetoll query).
SELECT
    s.account_id,
    a.name,
    s.state,
    s.since,
    s.available,
    s.projected,
    s.currency,
    s.burn_per_hour,
    s.projected_zero_at,
    s.unverified,
    s.reason
FROM account_states AS s
INNER JOIN accounts AS a ON s.account_id = a.account_id
WHERE (s.state <> 'ok' OR s.unverified) AND $account IN ('all', s.account_id)
ORDER BY s.projected_zero_at NULLS LAST, s.available, s.account_id

-- Sample:
-- edgetoll query accounts_at_risk --param account=acme
-- | account_id | name | state | since | available | projected | currency | burn_per_hour | projected_zero_at | unverified | reason |
-- | --- | --- | --- | --- | ---: | ---: | --- | ---: | --- | --- | --- |
-- | acme | Acme Video GmbH | suspend_due | 2026-10-06 14:00 | -1.9498244303 | -1.9498244303 | USD | 0.0273760102 | 2026-11-03 14:00 | false | below zero for longer than the grace of 24 h |
