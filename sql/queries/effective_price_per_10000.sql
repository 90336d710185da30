-- What does an account really pay for 10,000 requests, with tiers, free quotas and plans?
-- Grain: one row per account × item of requests; the price is cut to the tenth decimal.
-- Reads: charges.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, account_id, per_10000, item
SELECT
    account_id,
    item,
    CAST(sum(quantity) AS BIGINT) AS requests,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    money_of_units(units_of_money(sum(amount)) * 10000 // nullif(CAST(sum(quantity) AS HUGEINT), 0)) AS per_10000,
    currency
FROM charges
WHERE month = $month AND item IN ('https_requests', 'quic_requests', 'http_requests')
GROUP BY account_id, item, currency
ORDER BY per_10000 DESC, account_id, item
