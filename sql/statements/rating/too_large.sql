-- Answers: which account-hours are too large to be priced in whole numbers: a product would not
-- fit, and a sum might wrap around. Either the hour holds more than its lane's limit, or the month so
-- far does not fit the denominator its prices have now.
-- Grain: account × hour × lane. Temporary.
-- Reads: rating_sold, rating_sold_bandwidth, rating_touches, rating_state, rating_accounts, price_limits.
CREATE OR REPLACE TEMP TABLE rating_too_large AS
WITH sold AS (
    SELECT account_key, hour, lane, month, quantity FROM rating_sold WHERE lane IS NOT NULL
    UNION ALL
    SELECT account_key, hour, lane, month, quantity FROM rating_sold_bandwidth
    WHERE lane IS NOT NULL
    UNION ALL
    SELECT account_key, hour, lane, month, 0 FROM rating_touches
), smallest AS (
    SELECT lane, min(hour_most) AS hour_most FROM price_limits GROUP BY lane
), large AS (
    -- An hour has less than a thousand rows of one lane: nearly always nothing is left to add up.
    SELECT DISTINCT s.account_key, s.hour, s.lane
    FROM sold AS s
    JOIN smallest AS l ON l.lane = s.lane AND s.quantity > l.hour_most // 1000
), added AS (
    SELECT s.account_key, s.hour, s.lane, sum(s.quantity) AS quantity
    FROM sold AS s
    SEMI JOIN large AS g ON g.account_key = s.account_key AND g.hour = s.hour AND g.lane = s.lane
    GROUP BY ALL
)
SELECT d.account_key, d.hour, d.lane, d.quantity, coalesce(o.hour_most, l.hour_most) AS hour_most
FROM added AS d
JOIN rating_accounts AS a ON a.account_key = d.account_key
JOIN price_limits AS l ON l.lane = d.lane AND l.account_id IS NULL
LEFT JOIN price_limits AS o ON o.lane = d.lane AND o.account_id = a.account_id
WHERE d.quantity > coalesce(o.hour_most, l.hour_most)
UNION
SELECT s.account_key, s.hour, s.lane, NULL, NULL
FROM sold AS s
SEMI JOIN (SELECT account_key, lane, month FROM rating_state WHERE too_large) AS t
    ON t.account_key = s.account_key AND t.lane = s.lane AND t.month = s.month;
