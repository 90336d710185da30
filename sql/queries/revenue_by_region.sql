-- Where is the money earned?
-- Grain: one row per region × item × currency.
-- Reads: charges.
-- Read by: people (edgetoll query).
-- Parameter month (month): the month asked about, in each account's time zone
-- Chart: bar, region, amount, item
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
