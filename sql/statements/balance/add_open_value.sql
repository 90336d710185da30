-- Answers: what the open hours of each account will cost, as rating projects it; a credit counts as zero.
-- Grain: one row per account with open usage.
-- Reads: rating_projection (billing/rating, session table), accounts.
INSERT INTO open_value
SELECT p.account_id, GREATEST(SUM(p.amount), 0)
FROM rating_projection AS p
INNER JOIN accounts AS a ON p.account_id = a.account_id AND p.currency = a.currency
GROUP BY p.account_id;
