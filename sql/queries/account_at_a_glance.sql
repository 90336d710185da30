-- How does an account stand: its money, its state and why, the shares of its budgets that are reached, its terms?
-- Grain: one row, none where there is no such account.
-- Reads: accounts, account_states, alerts.
-- Parameter account (text): the account, by its id
-- Read by: people (edgetoll query).
SELECT
    a.account_id,
    a.name,
    coalesce(s.state, 'ok') AS state,
    s.since,
    s.reason,
    coalesce(s.available, a.available) AS available,
    s.projected,
    a.currency,
    s.burn_per_hour,
    s.projected_zero_at,
    s.usage_through,
    coalesce(s.unverified, false) AS unverified,
    (
        SELECT string_agg(concat_ws(' ', b.rule_id, b.basis, b.percent || ' %'), ', ' ORDER BY b.rule_id, b.basis, b.percent)
        FROM alerts AS b
        WHERE
            b.account_id = a.account_id AND b.kind = 'budget' AND b.resolved_at IS NULL
            AND b.until > coalesce(s.usage_through, b.since)
    ) AS budgets_reached,
    a.cash,
    a.vouchers,
    a.charged,
    a.credit_limit,
    a.low_balance_threshold,
    coalesce(s.grace_hours, a.grace_hours) AS grace_hours,
    a.suspension_policy,
    a.timezone,
    a.price_book,
    a.billing_method,
    a.country,
    a.tax_rate_bp,
    a.opened_at,
    a.tags
FROM accounts AS a
LEFT JOIN account_states AS s ON a.account_id = s.account_id
WHERE a.account_id = $account

-- Sample:
-- edgetoll query account_at_a_glance --param account=acme
-- | account_id | name | state | since | reason | available | projected | currency | burn_per_hour | projected_zero_at | usage_through | unverified | budgets_reached | cash | vouchers | charged | credit_limit | low_balance_threshold | grace_hours | suspension_policy | timezone | price_book | billing_method | country | tax_rate_bp | opened_at | tags |
-- | --- | --- | --- | --- | --- | ---: | ---: | --- | ---: | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- | --- | --- | --- | ---: | --- | --- |
-- | acme | Acme Video GmbH | suspend_due | 2026-10-06 14:00 | below zero for longer than the grace of 24 h | -1.9498244303 | -1.9498244303 | USD | 0.0273760102 | 2026-11-03 14:00 | 2026-11-03 11:00 | false |  | 0.5000000000 | 0.0000000000 | 2.4498244303 | 0.0000000000 |  | 24 | confirm | UTC | plain | data_transfer | DE | 1900.00 | 2026-10-01 00:00 | {"segment": "video"} |
