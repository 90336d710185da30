-- Which accounts are there, how do they stand, and what have they left?
-- Grain: one row per account whose id or name has the words searched for.
-- Reads: accounts, account_states, invoice_balances.
-- Parameter state (text, all): one state, at_risk: all but ok, or all of them
-- Parameter search (text, all): a part of the id or of the name; all: any
-- Read by: people (edgetoll query).
WITH owing AS (
    SELECT account_id, count(*) FILTER (open_amount > 0) AS open_invoices
    FROM invoice_balances
    GROUP BY account_id
)

SELECT
    a.account_id,
    a.name,
    coalesce(s.state, 'ok') AS state,
    s.since,
    coalesce(s.available, a.available) AS available,
    s.projected,
    a.currency,
    s.burn_per_hour,
    s.projected_zero_at,
    coalesce(s.unverified, false) AS unverified,
    coalesce(o.open_invoices, 0) AS open_invoices
FROM accounts AS a
LEFT JOIN account_states AS s ON a.account_id = s.account_id
LEFT JOIN owing AS o ON a.account_id = o.account_id
WHERE
    (
        $state IN ('all', coalesce(s.state, 'ok'))
        OR ($state = 'at_risk' AND (s.state <> 'ok' OR s.unverified))
    )
    AND ($search = 'all' OR contains(lower(concat(a.account_id, ' ', a.name)), lower($search)))
ORDER BY s.state = 'ok' NULLS LAST, s.projected_zero_at NULLS LAST, a.account_id

-- Sample:
-- edgetoll query accounts_as_they_stand
-- | account_id | name | state | since | available | projected | currency | burn_per_hour | projected_zero_at | unverified | open_invoices |
-- | --- | --- | --- | --- | ---: | ---: | --- | ---: | --- | --- | ---: |
-- | acme | Acme Video GmbH | suspend_due | 2026-10-06 14:00 | -1.9498244303 | -1.9498244303 | USD | 0.0273760102 | 2026-11-03 14:00 | false | 1 |
-- | beta | Beta | ok | 2026-11-02 05:00 | 4.7385269334 | 4.7385269334 | USD | 0.0055112634 | 2026-12-09 09:47:22 | false | 0 |
