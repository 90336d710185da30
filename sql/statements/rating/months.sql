-- Answers: when each local month begins and ends in UTC; number is year * 12 + month - 1.
-- Grain: time zone × month. Temporary.
-- Reads: given_months (zoneinfo).
CREATE OR REPLACE TEMP TABLE rating_months AS
SELECT timezone, number, month, starts_at, ends_at, days FROM given_months;
