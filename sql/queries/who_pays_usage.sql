-- How much of each item do money, plans and free quotas pay?
-- Grain: one row per item.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, item, plan_permille
-- Read by: people (edgetoll query).
SELECT
    item,
    CAST(sum(quantity) AS HUGEINT) AS quantity,
    CAST(sum(free_quantity) AS HUGEINT) AS free_quantity,
    CAST(sum(plan_quantity) AS HUGEINT) AS plan_quantity,
    CAST(sum(billable_quantity) AS HUGEINT) AS billable_quantity,
    CAST(1000 * sum(plan_quantity) // nullif(sum(quantity), 0) AS BIGINT) AS plan_permille
FROM charges_daily
WHERE month = $month
GROUP BY item
ORDER BY item

-- Sample:
-- edgetoll query who_pays_usage --param month=2026-11
-- | item | quantity | free_quantity | plan_quantity | billable_quantity | plan_permille |
-- | --- | ---: | ---: | ---: | ---: | ---: |
-- | data_transfer | 18097697079 | 0 | 0 | 18097697079 | 0 |
-- | https_requests | 304139 | 0 | 0 | 304139 | 0 |
