-- How much of each item do money, plans and free quotas pay?
-- Grain: one row per item.
-- Reads: charges.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, item, plan_permille
SELECT
    item,
    CAST(sum(quantity) AS HUGEINT) AS quantity,
    CAST(sum(free_quantity) AS HUGEINT) AS free_quantity,
    CAST(sum(plan_quantity) AS HUGEINT) AS plan_quantity,
    CAST(sum(billable_quantity) AS HUGEINT) AS billable_quantity,
    CAST(1000 * sum(plan_quantity) // nullif(sum(quantity), 0) AS BIGINT) AS plan_permille
FROM charges
WHERE month = $month
GROUP BY item
ORDER BY item
