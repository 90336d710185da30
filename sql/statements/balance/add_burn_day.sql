-- Answers: what accounts settled by the day had to pay for their most recent whole local day.
-- Grain: one row per such account with a charge in that day.
-- Reads: charges, accounts, day_bounds (the day of each time zone, computed outside). An hour that lies across midnight
-- (a zone of UTC+5:45) counts to the day it ends in.
INSERT INTO burn_day
SELECT c.account_id, SUM(c.amount)
FROM charges AS c
INNER JOIN accounts AS a ON a.account_id = c.account_id
INNER JOIN day_bounds AS d ON d.timezone = a.timezone
WHERE
    a.billing_method = $daily_method
    AND c.period_end > $not_before
    AND c.period_end > d.day_start
    AND c.period_end <= d.day_end
GROUP BY c.account_id;
