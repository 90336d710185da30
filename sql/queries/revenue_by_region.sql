-- Where is the money earned?
-- Grain: one row per region × item × currency.
-- Reads: charges.
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, region, amount, item
-- Read by: people (edgetoll query).
SELECT
    region,
    item,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    count(DISTINCT account_id) AS accounts,
    currency
FROM charges
WHERE month = $month
GROUP BY region, item, currency
ORDER BY amount DESC, region, item

-- Sample:
-- edgetoll query revenue_by_region --param month=2026-11
-- | region | item | amount | accounts | currency |
-- | --- | --- | ---: | ---: | --- |
-- | EU | data_transfer | 1.1379542969 | 2 | USD |
-- | all | https_requests | 0.2433112000 | 2 | USD |
