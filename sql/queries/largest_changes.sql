-- What changed most since last month, and why: more used, corrections, or price and tiers?
-- Grain: one row per account × item.
-- Reads: charges_daily_parts.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter top (number, 20): how many rows at most
-- Parameter account (text, all): one account, or all of them
-- Chart: bar, account_id, change, item
-- Read by: people (edgetoll query).
WITH sums AS (
    SELECT
        account_id,
        item,
        currency,
        units_of_money(sum(amount) FILTER (WHERE month = $month)) AS now_units,
        units_of_money(sum(amount) FILTER (WHERE month <> $month)) AS units_before,
        CAST(coalesce(sum(billable_quantity) FILTER (WHERE month = $month), 0) AS HUGEINT) AS quantity,
        CAST(coalesce(sum(billable_quantity) FILTER (WHERE month <> $month), 0) AS HUGEINT) AS quantity_before,
        units_of_money(sum(corrected) FILTER (WHERE month = $month)) AS corrected
    FROM charges_daily_parts
    WHERE month IN ($month, strftime(CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m'))
        AND $account IN ('all', account_id)
    GROUP BY account_id, item, currency
),

parts AS (
    SELECT
        *,
        now_units - units_before AS change,
        CASE
            WHEN quantity_before = 0 THEN now_units - units_before - corrected
            ELSE units_before * (quantity - quantity_before) // quantity_before
        END AS by_quantity
    FROM sums
)

SELECT
    account_id,
    item,
    money_of_units(units_before) AS amount_before,
    money_of_units(now_units) AS amount,
    money_of_units(change) AS change,
    money_of_units(by_quantity) AS of_it_more_used,
    money_of_units(corrected) AS of_it_corrections,
    money_of_units(change - by_quantity - corrected) AS of_it_price_and_tiers,
    currency
FROM parts
WHERE change <> 0
ORDER BY abs(change) DESC, account_id, item
LIMIT $top

-- Sample:
-- edgetoll query largest_changes --param month=2026-11 --param account=acme
-- | account_id | item | amount_before | amount | change | of_it_more_used | of_it_corrections | of_it_price_and_tiers | currency |
-- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |
-- | acme | https_requests | 0.1489088000 | 0.1985048000 | 0.0495960000 | 0.0495960000 | 0.0000000000 | 0.0000000000 | USD |
-- | acme | data_transfer | 0.9569314454 | 0.9512876303 | -0.0056438151 | -0.0063024226 | 0.0000000000 | 0.0006586075 | USD |
