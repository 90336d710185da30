-- Answers: where the months of accounts that only add stand: month-to-date before this run. Accounts that
-- are replayed begin their months from nothing. too_large: a numerator does not fit the denominator that
-- the lane's prices have now, or leaves no room for the rest of a month (billing.prices.limits).
-- Grain: account × lane × month. Temporary.
-- Reads: month_state, rating_accounts, price_lanes, rating_months.
CREATE OR REPLACE TEMP TABLE rating_state AS
WITH parts AS (
    SELECT
        a.account_key, l.lane, m.number AS month, s.free_quantity, s.billable_quantity, s.amount,
        CASE
            WHEN s.denominator = l.denominator THEN s.numerator
            ELSE TRY(s.numerator * (l.denominator // gcd(s.denominator, l.denominator)))
                // (s.denominator // gcd(s.denominator, l.denominator))
        END AS numerator
    FROM month_state AS s
    JOIN rating_accounts AS a ON a.account_id = s.account_id AND a.replay_from IS NULL
    JOIN price_lanes AS l ON l.book = a.book AND l.item = s.item AND l.scope = s.region
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = s.month
    WHERE s.month >= $first_month
)
SELECT
    account_key, lane, month, sum(free_quantity) AS free_quantity,
    sum(billable_quantity) AS billable_quantity, sum(amount) AS amount,
    sum(numerator) AS numerator,
    bool_or(numerator IS NULL OR abs(numerator) > 50000000000000000000000000000000000000)
        AS too_large
FROM parts
GROUP BY ALL;
