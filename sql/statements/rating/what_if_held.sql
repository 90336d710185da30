-- Answers: which account-hours of a month would have no price.
-- Grain: account × hour.
-- Reads: rating_held_now, rating_accounts, rating_months.
SELECT a.account_id, n.hour, n.problem, n.hint
FROM rating_held_now AS n
JOIN rating_accounts AS a ON a.account_key = n.account_key
JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = $month
WHERE n.hour >= m.starts_at - INTERVAL 1 HOUR AND n.hour < m.ends_at
ORDER BY n.hour, a.account_id;
