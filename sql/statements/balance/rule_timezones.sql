-- Answers: in which time zones and over which periods rules are measured.
-- Grain: one row per time zone and period.
-- Reads: rules_now, accounts.
SELECT DISTINCT a.timezone, r.period
FROM rules_now AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
ORDER BY ALL;
