-- What was charged in a month, item by item, and what of it did plans and free quotas pay?
-- Grain: one row per account × item × region × currency.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text, all): one account, or all of them
-- Parameter item (text, all): one item, or all of them
-- Chart: bar, item, amount, region
-- Read by: people (edgetoll query).
SELECT
    account_id,
    month,
    item,
    region,
    CAST(sum(quantity) AS BIGINT) AS quantity,
    CAST(sum(free_quantity) AS BIGINT) AS free_quantity,
    CAST(sum(plan_quantity) AS BIGINT) AS plan_quantity,
    CAST(sum(billable_quantity) AS BIGINT) AS billable_quantity,
    CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
    currency,
    CAST(sum(charges) AS BIGINT) AS charges,
    CAST(coalesce(sum(charges) FILTER (is_correction), 0) AS BIGINT) AS corrections
FROM charges_daily
WHERE month = $month AND $account IN ('all', account_id) AND $item IN ('all', item)
GROUP BY account_id, month, item, region, currency
ORDER BY amount DESC, account_id, item, region

-- Sample:
-- edgetoll query charges_of_month --param month=2026-11 --param account=acme
-- | account_id | month | item | region | quantity | free_quantity | plan_quantity | billable_quantity | amount | currency | charges | corrections |
-- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |
-- | acme | 2026-11 | data_transfer | EU | 15234385549 | 0 | 0 | 15234385549 | 0.9512876303 | USD | 3 | 0 |
-- | acme | 2026-11 | https_requests | all | 248131 | 0 | 0 | 248131 | 0.1985048000 | USD | 3 | 0 |
