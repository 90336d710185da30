-- Who spends most, and how much of it on HTTPS requests?
-- Grain: one row per account × month × currency.
-- Reads: charges_daily.
-- Chart: bar, account_id, amount, month
-- Read by: people (edgetoll query), examples/stage.py.
SELECT
    month,
    account_id,
    currency,
    sum(amount) AS amount,
    coalesce(sum(amount) FILTER (WHERE item = 'https_requests'), 0) AS https_amount
FROM charges_daily
GROUP BY month, account_id, currency
ORDER BY month DESC, amount DESC
LIMIT 50

-- Sample:
-- edgetoll query top_accounts_by_spend
-- | month | account_id | currency | amount | https_amount |
-- | --- | --- | --- | ---: | ---: |
-- | 2026-11 | acme | USD | 1.1497924303 | 0.1985048000 |
-- | 2026-11 | beta | USD | 0.2314730666 | 0.0448064000 |
-- | 2026-10 | acme | USD | 1.1058402454 | 0.1489088000 |
-- | 2026-10 | beta | USD | 0.0336048000 | 0.0336048000 |
