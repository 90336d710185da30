-- What would another price of one item bring, if usage stayed as it was?
-- Grain: one row per account × currency; cut to the tenth decimal.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter item (text, https_requests): the item whose price changes
-- Parameter percent (number, 10): by how many percent it rises; below zero: falls
-- Chart: bar, account_id, change
-- Read by: people (edgetoll query).
WITH charged AS (
    SELECT account_id, currency, units_of_money(sum(amount)) AS units
    FROM charges_daily
    WHERE month = $month AND item = $item
    GROUP BY account_id, currency
)

SELECT
    account_id,
    money_of_units(units) AS charged,
    money_of_units(units * (100 + $percent) // 100) AS tried,
    money_of_units(units * (100 + $percent) // 100 - units) AS change,
    currency
FROM charged
ORDER BY change DESC, account_id

-- Sample:
-- edgetoll query what_a_price_change_would_do --param month=2026-11
-- | account_id | charged | tried | change | currency |
-- | --- | ---: | ---: | ---: | --- |
-- | acme | 0.1985048000 | 0.2183552800 | 0.0198504800 | USD |
-- | beta | 0.0448064000 | 0.0492870400 | 0.0044806400 | USD |
