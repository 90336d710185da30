-- Which accounts are about to lose service, and when?
-- Grain: one row per account that is not ok.
-- Reads: account_states, accounts.
-- Read by: people (edgetoll query).
-- Chart: bar, account_id, available
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
WHERE s.state <> 'ok' OR s.unverified
ORDER BY s.projected_zero_at NULLS LAST, s.available, s.account_id
