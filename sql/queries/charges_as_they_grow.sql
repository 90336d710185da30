-- How do a month's charges grow, day by day?
-- Grain: one row per day (in each account's time zone) × item × currency with charges; so_far adds up from the
-- month's first day.
-- Reads: charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text, all): one account, or all of them
-- Chart: line, day, so_far, item
-- Read by: people (edgetoll query).
WITH daily AS (
    SELECT
        day,
        item,
        currency,
        CAST(sum(amount) AS DECIMAL(38, 10)) AS amount
    FROM charges_daily
    WHERE month = $month AND $account IN ('all', account_id)
    GROUP BY ALL
)

SELECT
    day,
    item,
    amount,
    CAST(sum(amount) OVER (PARTITION BY item, currency ORDER BY day) AS DECIMAL(38, 10)) AS so_far,
    currency,
    $month AS month
FROM daily
ORDER BY day, item, currency

-- Sample:
-- edgetoll query charges_as_they_grow --param month=2026-11 --param account=acme
-- | day | item | amount | so_far | currency | month |
-- | --- | --- | ---: | ---: | --- | --- |
-- | 2026-11-03 | data_transfer | 0.9512876303 | 0.9512876303 | USD | 2026-11 |
-- | 2026-11-03 | https_requests | 0.1985048000 | 0.1985048000 | USD | 2026-11 |
