-- Answers: which past months hold charges of accounts that have no invoice for them.
-- Grain: one row per month.
-- Reads: month_state, issued_months.
SELECT DISTINCT m.month
FROM month_state AS m
ANTI JOIN issued_months AS i ON m.account_id = i.account_id AND m.month = i.month
WHERE m.month < $this_month
ORDER BY m.month;
