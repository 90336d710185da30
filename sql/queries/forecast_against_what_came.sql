-- What would a straight forecast have said early in the month, and what came?
-- Grain: one row per account × currency.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter days (number, 10): after how many days of the month (UTC) the forecast is made
-- Chart: bar, account_id, missed_by
-- Read by: people (edgetoll query).
WITH spent AS (
    SELECT
        account_id,
        currency,
        units_of_money(sum(amount)) AS came,
        units_of_money(sum(amount) FILTER (
            WHERE day < CAST($month || '-01' AS DATE) + to_days(CAST($days AS INTEGER))
        )) AS known_then
    FROM charges_daily
    WHERE month = $month
    GROUP BY account_id, currency
),

told AS (
    SELECT
        account_id,
        currency,
        came,
        known_then,
        known_then * day(last_day(CAST($month || '-01' AS DATE))) // $days AS forecast
    FROM spent
)

SELECT
    account_id,
    money_of_units(known_then) AS known_then,
    money_of_units(forecast) AS forecast,
    money_of_units(came) AS came,
    money_of_units(came - forecast) AS missed_by,
    CAST(1000 * (came - forecast) // nullif(forecast, 0) AS BIGINT) AS missed_permille,
    currency
FROM told
ORDER BY abs(came - forecast) DESC, account_id

-- Sample:
-- edgetoll query forecast_against_what_came --param month=2026-11
-- | account_id | known_then | forecast | came | missed_by | missed_permille | currency |
-- | --- | ---: | ---: | ---: | ---: | ---: | --- |
-- | acme | 1.1497924303 | 3.4493772909 | 1.1497924303 | -2.2995848606 | -666 | USD |
-- | beta | 0.2314730666 | 0.6944191998 | 0.2314730666 | -0.4629461332 | -666 | USD |
