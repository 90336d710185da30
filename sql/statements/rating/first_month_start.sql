-- Answers: the earliest beginning of a local month at hand.
-- Grain: one row.
-- Reads: rating_months.
SELECT min(starts_at) FROM rating_months;
