-- Answers: what this run charges in all, by currency, and how many charges that is.
-- Grain: currency.
-- Reads: rating_out_charges.
SELECT currency, sum(amount)::DECIMAL(38, 0), count(*) FROM rating_out_charges
GROUP BY currency ORDER BY currency;
