-- Answers: what open usage would add to each account's charges.
-- Grain: account × currency. Temporary.
-- Reads: rating_truth.
CREATE OR REPLACE TEMP TABLE rating_projection AS
SELECT account_id, currency, sum(amount) AS amount FROM rating_truth GROUP BY account_id, currency;
