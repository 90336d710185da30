-- Answers: which card prices a lane when; rows with an account_id hold for that account alone.
-- force_no puts price changes in order of time.
-- Grain: account (NULL: everybody else) × lane × run of one card. Temporary.
-- Reads: given_force (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_force AS
SELECT
    account_id, lane, card, force_from, force_until,
    dense_rank() OVER (ORDER BY force_from) AS force_no
FROM given_force;
