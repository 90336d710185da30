-- How much of the revenue hangs on how few accounts?
-- Grain: one row per account and currency, the largest first.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter top (number, 20): how many rows at most
-- Chart: bar, account_id, share_so_far_permille
-- Read by: people (edgetoll query).
WITH ranked AS (
    SELECT account_id, currency, units_of_money(sum(amount)) AS units
    FROM charges_daily
    WHERE month = $month
    GROUP BY account_id, currency
),

added AS (
    SELECT
        *,
        row_number() OVER by_size AS place,
        sum(units) OVER by_size AS so_far,
        sum(units) OVER (PARTITION BY currency) AS whole
    FROM ranked
    WINDOW by_size AS (PARTITION BY currency ORDER BY units DESC, account_id ROWS UNBOUNDED PRECEDING)
)

SELECT
    place,
    account_id,
    money_of_units(units) AS amount,
    CAST(1000 * units // nullif(whole, 0) AS BIGINT) AS share_permille,
    CAST(1000 * so_far // nullif(whole, 0) AS BIGINT) AS share_so_far_permille,
    currency
FROM added
ORDER BY currency, place
LIMIT $top

-- Sample:
-- edgetoll query concentration --param month=2026-11
-- | place | account_id | amount | share_permille | share_so_far_permille | currency |
-- | ---: | --- | ---: | ---: | ---: | --- |
-- | 1 | acme | 1.1497924303 | 832 | 832 | USD |
-- | 2 | beta | 0.2314730666 | 167 | 1000 | USD |
