-- Answers: what the metrics say of billing: accounts, held runs, how far usage is rated, what waits.
-- Grain: one row.
-- Reads: accounts, runs, balance_clock, deliveries.
SELECT
    (SELECT COUNT(*) FROM accounts) AS accounts,
    (SELECT COUNT(*) FROM runs WHERE state = 'held') AS runs_held,
    (SELECT MAX(through_hour) FROM runs WHERE state IN ('done', 'released')) AS usage_through,
    (SELECT MAX(unverified) FROM balance_clock) AS unverified,
    (SELECT MIN(next_at) FROM deliveries WHERE status = 'waiting') AS next_delivery_at;
