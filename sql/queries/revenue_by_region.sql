-- Where is the money earned?
-- Grain: one row per region × item × currency.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text, all): one account, or all of them
-- Chart: bar, region, amount, item
-- Read by: people (edgetoll query).
SELECT
    region,
    item,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    count(DISTINCT account_id) AS accounts,
    currency
FROM charges_daily
WHERE month = $month AND $account IN ('all', account_id)
GROUP BY region, item, currency
ORDER BY amount DESC, region, item

-- Sample:
-- edgetoll query revenue_by_region --param month=2026-11 --param account=acme
-- | region | item | amount | accounts | currency |
-- | --- | --- | ---: | ---: | --- |
-- | EU | data_transfer | 0.9512876303 | 1 | USD |
-- | all | https_requests | 0.1985048000 | 1 | USD |
