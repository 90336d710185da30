-- Answers: in which time zones accounts settled by the day live.
-- Grain: one row per time zone.
-- Reads: accounts.
SELECT DISTINCT timezone
FROM accounts
WHERE billing_method = $daily_method
ORDER BY timezone;
