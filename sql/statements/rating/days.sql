-- Answers: when each local day begins and ends in UTC, and its month's number.
-- Grain: time zone × day. Temporary.
-- Reads: given_days (zoneinfo).
CREATE OR REPLACE TEMP TABLE rating_days AS
SELECT timezone, day, number, starts_at, ends_at FROM given_days;
