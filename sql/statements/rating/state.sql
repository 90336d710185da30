-- Answers: where the months of accounts that only add stand: month-to-date before this run. Accounts that
-- are replayed begin their months from nothing.
-- Grain: account × lane × month. Temporary.
-- Reads: month_state, rating_accounts, price_lanes, rating_months.
CREATE OR REPLACE TEMP TABLE rating_state AS
SELECT
    a.account_key, l.lane, m.number AS month,
    sum(s.free_quantity) AS free_quantity, sum(s.billable_quantity) AS billable_quantity,
    sum(s.amount) AS amount,
    sum(CASE
        WHEN s.denominator = l.denominator THEN s.numerator
        ELSE s.numerator * l.denominator // s.denominator
    END) AS numerator
FROM month_state AS s
JOIN rating_accounts AS a ON a.account_id = s.account_id AND a.replay_from IS NULL
JOIN price_lanes AS l ON l.book = a.book AND l.item = s.item AND l.scope = s.region
JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = s.month
WHERE s.month >= $first_month
GROUP BY ALL;
