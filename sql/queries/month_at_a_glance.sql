-- How was the month, in figures beside those of the month before?
-- Grain: one row per month of the two × currency charged; requests and bytes are those of all currencies.
-- Reads: usage_monthly, charges_daily, accounts.
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
        month,
        CAST(sum(requests) AS BIGINT) AS requests,
        CAST(coalesce(sum(requests) FILTER (WHERE class = 'https'), 0) AS BIGINT) AS https_requests,
        CAST(1000 * coalesce(sum(requests) FILTER (WHERE class <> 'http'), 0) // sum(requests) AS BIGINT)
            AS encrypted_permille,
        CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
    FROM usage_monthly
    WHERE $account = 'all' OR account_id = $account
    GROUP BY month
    HAVING sum(requests) > 0
),

charged AS (
    SELECT
        month,
        currency,
        CAST(sum(amount) AS DECIMAL(38, 10)) AS amount,
        CAST(coalesce(sum(amount) FILTER (WHERE item = 'https_requests'), 0) AS DECIMAL(38, 10)) AS https_amount,
        count(DISTINCT account_id) AS accounts
    FROM charges_daily
    WHERE $account IN ('all', account_id)
    GROUP BY month, currency
)

SELECT
    m.month,
    c.currency,
    c.amount,
    c.https_amount,
    c.accounts,
    coalesce(s.requests, 0) AS requests,
    coalesce(s.https_requests, 0) AS https_requests,
    s.encrypted_permille,
    coalesce(s.bytes_sent, 0) AS bytes_sent
FROM months AS m
LEFT JOIN served AS s ON m.month = s.month
LEFT JOIN charged AS c ON m.month = c.month
ORDER BY m.month DESC, c.currency

-- Sample:
-- edgetoll query month_at_a_glance --param month=2026-11 --param account=acme
-- | month | currency | amount | https_amount | accounts | requests | https_requests | encrypted_permille | bytes_sent |
-- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
-- | 2026-11 | USD | 1.1497924303 | 0.1985048000 | 1 | 249739 | 248131 | 995 | 15234385549 |
-- | 2026-10 | USD | 1.1058402454 | 0.1489088000 | 1 | 188548 | 186136 | 992 | 17482869202 |
