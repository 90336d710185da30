-- What does an account really pay for 10,000 requests, with tiers, free quotas and plans?
-- Grain: one row per account × item of requests; the price is cut to the tenth decimal.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, account_id, per_10000, item
-- Read by: people (edgetoll query).
SELECT
    account_id,
    item,
    CAST(sum(quantity) AS BIGINT) AS requests,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    money_of_units(units_of_money(sum(amount)) * 10000 // nullif(CAST(sum(quantity) AS HUGEINT), 0)) AS per_10000,
    currency
FROM charges_daily
WHERE month = $month AND item IN ('https_requests', 'quic_requests', 'http_requests')
GROUP BY account_id, item, currency
ORDER BY per_10000 DESC, account_id, item

-- Sample:
-- edgetoll query effective_price_per_10000 --param month=2026-11
-- | account_id | item | requests | amount | per_10000 | currency |
-- | --- | --- | ---: | ---: | ---: | --- |
-- | acme | https_requests | 248131 | 0.1985048000 | 0.0080000000 | USD |
-- | beta | https_requests | 56008 | 0.0448064000 | 0.0080000000 | USD |
