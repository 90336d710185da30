-- Answers: what a round of the daemon asks: which months want invoices, and the store's vital signs.
-- Grain: see the line above each statement.
-- Reads: month_state, issued_months, accounts, runs, balance_clock, deliveries.

-- name: months_due
-- One row per past month that holds charges of accounts without an invoice for it.
SELECT DISTINCT m.month
FROM month_state AS m
ANTI JOIN issued_months AS i ON m.account_id = i.account_id AND m.month = i.month
WHERE m.month < $this_month
ORDER BY m.month;

-- name: vital_signs
-- One row: accounts, held runs, how far usage is rated, what waits.
SELECT
    (SELECT COUNT(*) FROM accounts) AS accounts,
    (SELECT COUNT(*) FROM runs WHERE state = 'held') AS runs_held,
    (SELECT MAX(through_hour) FROM runs WHERE state IN ('done', 'released')) AS usage_through,
    (SELECT MAX(unverified) FROM balance_clock) AS unverified,
    (SELECT MIN(next_at) FROM deliveries WHERE status = 'waiting') AS next_delivery_at;
