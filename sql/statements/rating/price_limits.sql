-- Answers: how much of a lane one hour may hold to be priced exactly (billing.prices.limits); rows with
-- an account_id hold for that account, which has prices of its own.
-- Grain: account (NULL: everybody else) × lane. Temporary.
-- Reads: given_limits (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_limits AS
SELECT account_id, lane, hour_most::HUGEINT AS hour_most FROM given_limits;
