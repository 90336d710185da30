-- Do caches serve what is billed? Hits beside the bytes and the money of data transfer.
-- Grain: one row per account.
-- Reads: usage_hourly_parts, charges_daily.
-- Parameter month (month): the month asked about; hours are UTC
-- Chart: bar, account_id, hit_permille
-- Read by: people (edgetoll query).
WITH served AS (
    SELECT
        account_id,
        CAST(sum(requests) AS BIGINT) AS requests,
        CAST(sum(cache_hits) AS BIGINT) AS cache_hits,
        CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
    FROM usage_hourly_parts
    WHERE hour >= CAST($month || '-01' AS TIMESTAMP)
        AND hour < CAST($month || '-01' AS TIMESTAMP) + INTERVAL 1 MONTH
    GROUP BY account_id
),

billed AS (
    SELECT account_id, any_value(currency) AS currency, CAST(sum(amount) AS DECIMAL(38, 10)) AS amount
    FROM charges_daily
    WHERE month = $month AND item IN ('data_transfer', 'peak_bandwidth', 'percentile95_bandwidth')
    GROUP BY account_id
)

SELECT
    s.account_id,
    s.requests,
    s.cache_hits,
    1000 * s.cache_hits // nullif(s.requests, 0) AS hit_permille,
    s.bytes_sent,
    b.amount AS bytes_cost,
    b.currency
FROM served AS s
LEFT JOIN billed AS b ON s.account_id = b.account_id
ORDER BY s.bytes_sent DESC, s.account_id

-- Sample:
-- edgetoll query cache_hits_against_bytes_billed --param month=2026-11
-- | account_id | requests | cache_hits | hit_permille | bytes_sent | bytes_cost | currency |
-- | --- | ---: | ---: | ---: | ---: | ---: | --- |
-- | acme | 249739 | 160826 | 643 | 15234385549 | 0.9512876303 | USD |
-- | beta | 56042 | 14000 | 249 | 2863311530 | 0.1866666666 | USD |
-- |  | 46 | 2 | 43 | 24690 |  |  |
