-- How was the month, in figures beside those of the month before?
-- Grain: one row per month of the two × currency charged; requests and bytes are those of all currencies.
-- Reads: usage_daily_parts, charges_daily.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text, all): one account, or all of them
-- Read by: people (edgetoll query).
WITH months AS (
    SELECT unnest([
        $month, strftime(CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m')
    ]) AS month
),

served AS (
    SELECT
        strftime(day, '%Y-%m') AS month,
        sum(requests) AS requests,
        coalesce(sum(requests) FILTER (WHERE class = 'https'), 0) AS https_requests,
        coalesce(sum(requests) FILTER (WHERE class <> 'http'), 0) AS encrypted_requests,
        sum(bytes_sent) AS bytes_sent
    FROM (
        SELECT day, class, sum(requests) AS requests, sum(bytes_sent) AS bytes_sent
        FROM usage_daily_parts
        WHERE
            day >= CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH
            AND day < CAST($month || '-01' AS DATE) + INTERVAL 1 MONTH
            AND ($account = 'all' OR account_id = $account)
        GROUP BY day, class
    )
    GROUP BY ALL
    HAVING sum(requests) > 0
),

charged AS (
    SELECT
        month,
        currency,
        CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
        CAST(coalesce(sum(amount) FILTER (WHERE item = 'https_requests'), 0) AS DECIMAL(38, 10)) AS https_amount
    FROM (
        SELECT month, currency, item, sum(amount) AS amount
        FROM charges_daily
        WHERE
            month IN ($month, strftime(CAST($month || '-01' AS DATE) - INTERVAL 1 MONTH, '%Y-%m'))
            AND $account IN ('all', account_id)
        GROUP BY month, currency, item
    )
    GROUP BY month, currency
)

SELECT
    m.month,
    c.currency,
    c.amount,
    c.https_amount,
    CAST(coalesce(s.requests, 0) AS BIGINT) AS requests,
    CAST(coalesce(s.https_requests, 0) AS BIGINT) AS https_requests,
    CAST(1000 * s.encrypted_requests // s.requests AS BIGINT) AS encrypted_permille,
    CAST(coalesce(s.bytes_sent, 0) AS BIGINT) AS bytes_sent
FROM months AS m
LEFT JOIN served AS s ON m.month = s.month
LEFT JOIN charged AS c ON m.month = c.month
ORDER BY m.month DESC, c.currency

-- Sample:
-- edgetoll query month_at_a_glance --param month=2026-11 --param account=acme
-- | month | currency | amount | https_amount | requests | https_requests | encrypted_permille | bytes_sent |
-- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
-- | 2026-11 | USD | 1.1497924303 | 0.1985048000 | 249739 | 248131 | 995 | 15234385549 |
-- | 2026-10 | USD | 1.1058402454 | 0.1489088000 | 188548 | 186136 | 992 | 17482869202 |
